-- Generations that are paid together, and generations that are held before they are paid.

-- Several generations under one voucher share an idempotency key; this counts them from 0. A
-- blended generation, which uses several licenses, is such a group with one request.
ALTER TABLE generations ADD COLUMN part INTEGER NOT NULL DEFAULT 0;

DROP INDEX generations_by_key;

CREATE UNIQUE INDEX generations_by_key
    ON generations (channel_id, statement, idempotency_key, part);

-- Room that a payer has asked to be kept for a generation whose units it does not know yet.
-- A hold that was neither captured nor released ends by itself.
CREATE TABLE holds (
    -- SHA-256 of channel, incarnation and idempotency key: how it is named.
    id             BLOB    PRIMARY KEY CHECK (length(id) = 32),
    channel_id     INTEGER NOT NULL REFERENCES channels (id),
    license        INTEGER NOT NULL,
    -- The most it may use.
    units          INTEGER NOT NULL,
    request_digest BLOB    NOT NULL CHECK (length(request_digest) = 32),
    -- Last second in which it can be captured.
    expires_at     INTEGER NOT NULL,
    -- NULL, 'captured' or 'released'.
    outcome        TEXT
) WITHOUT ROWID;

CREATE INDEX holds_that_are_open ON holds (channel_id) WHERE outcome IS NULL;

-- Reports are asked for by time.
CREATE INDEX generations_by_time ON generations (issued_at);
