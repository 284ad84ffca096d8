-- Who may use the gateway beside a channel's own signatures, and how much may be spent.
--
-- Of an API key's token only a keyed digest is kept: it was shown once, and reading this table
-- gives nobody a way to use or to guess it.

CREATE TABLE api_keys (
    id           BLOB    PRIMARY KEY CHECK (length(id) = 8),
    -- Whose it is, or what for.
    name         TEXT    NOT NULL,
    token_digest BLOB    NOT NULL CHECK (length(token_digest) = 32),
    -- Bits: 1 pays, 2 looks, 4 administers.
    scopes       INTEGER NOT NULL,
    -- The most it may ever spend, fees included; NULL for no such limit.
    budget       INTEGER,
    -- What it has spent. Raised in the transaction that stores the generations it paid for.
    spent        INTEGER NOT NULL DEFAULT 0,
    created_at   INTEGER NOT NULL,
    -- Last second in which it is good; NULL for no end.
    expires_at   INTEGER,
    -- NULL while it is good. Keys are never deleted: generations name them.
    revoked_at   INTEGER
) WITHOUT ROWID;

-- The most a channel may be used for here, prices and fees since it opened; NULL for its whole
-- deposit.
ALTER TABLE channels ADD COLUMN budget INTEGER;

-- Which key a generation was asked for with, if any.
ALTER TABLE generations ADD COLUMN api_key BLOB REFERENCES api_keys (id);

-- What it added to the channel's total: its price, and what the operator's fee grew by. Of
-- generations from before this column, it is the difference to the one before.
ALTER TABLE generations ADD COLUMN charged INTEGER NOT NULL DEFAULT 0;

UPDATE generations SET charged = earlier.charged FROM (
    SELECT channel_id, statement, position, cumulative - LAG(cumulative, 1, 0) OVER (
        PARTITION BY channel_id ORDER BY statement, position
    ) AS charged FROM generations
) AS earlier
WHERE earlier.channel_id = generations.channel_id
  AND earlier.statement = generations.statement
  AND earlier.position = generations.position;
