-- Generations lie in the order in which they came, so that new ones are written at the end of the
-- table, however large it is; what nobody filters by or adds up is one column.
CREATE TABLE generations_in_order (
    -- Counts them from 1, without gaps. A server's generations come by several processes at once and
    -- need no number.
    id                 INTEGER PRIMARY KEY, -- SQLite
    channel_id         INTEGER NOT NULL REFERENCES channels (id),
    statement          INTEGER NOT NULL,
    -- Counts a statement's generations from 0, without gaps.
    position           INTEGER NOT NULL,
    idempotency_key    TEXT    NOT NULL,
    -- Several generations under one voucher share a key; this counts them from 0.
    part               INTEGER NOT NULL,
    license            INTEGER NOT NULL,
    units              INTEGER NOT NULL,
    terms_number       INTEGER NOT NULL,
    amount             INTEGER NOT NULL,
    cumulative         INTEGER NOT NULL,
    charged            INTEGER NOT NULL,
    issued_at          INTEGER NOT NULL,
    voucher_expires_at INTEGER NOT NULL,
    work               BLOB    NOT NULL CHECK (length(work) = 32),
    api_key            BLOB    REFERENCES api_keys (id),
    -- Byte 0 is the layout's number, the digit 1 (0x31). Then, without anything between them: SHA-256
    -- of the receipt's bytes, of the output and of the request (32 bytes each), the signature that
    -- covers the receipt and the voucher's (64 each), and where the receipt was signed together with
    -- others the way to what was signed (more than 32).
    evidence           BLOB    NOT NULL CHECK (length(evidence) >= 225)
);

INSERT INTO generations_in_order (channel_id, statement, position, idempotency_key, part, license,
    units, terms_number, amount, cumulative, charged, issued_at, voucher_expires_at, work, api_key,
    evidence)
SELECT channel_id, statement, position, idempotency_key, part, license, units, terms_number, amount,
    cumulative, charged, issued_at, voucher_expires_at, work, api_key,
    CAST(CAST('1' AS BLOB) || receipt_digest || output_digest || request_digest
        || receipt_signature || voucher_signature
        || COALESCE(receipt_bundle, CAST('' AS BLOB)) AS BLOB)
FROM generations
ORDER BY issued_at, channel_id, statement, position;

DROP TABLE generations;

ALTER TABLE generations_in_order RENAME TO generations;

CREATE UNIQUE INDEX generations_by_place ON generations (channel_id, statement, position);

-- A server finds generations by indexes of its own. SQLite would write a page for each entry of a
-- large one; a file has runs instead.
-- PostgreSQL: CREATE UNIQUE INDEX generations_by_key ON generations (channel_id, statement, idempotency_key, part);
-- PostgreSQL: CREATE INDEX generations_by_receipt ON generations (substr(evidence, 2, 32));
-- PostgreSQL: CREATE INDEX generations_by_output ON generations (substr(evidence, 34, 32));
-- PostgreSQL: CREATE INDEX generations_by_time ON generations (issued_at);

-- Generations that came one after the other, and by what they are found. Each generation of a file
-- is in one run, whose first generation names it. On a server these two tables stay empty.
CREATE TABLE runs (
    first    INTEGER NOT NULL PRIMARY KEY,
    count    INTEGER NOT NULL CHECK (count > 0),
    -- The least and the greatest `issued_at` of its generations.
    earliest INTEGER NOT NULL,
    latest   INTEGER NOT NULL,
    -- The first 32 bits of a tag, shifted to the right by this, are the number of its bucket.
    shift    INTEGER NOT NULL
);

CREATE TABLE buckets (
    -- 65,536 times the run, and the number of the bucket.
    place   INTEGER NOT NULL PRIMARY KEY,
    -- 12 bytes each, in order: a tag, which is 64 bits of a digest, and how many generations of
    -- the run come before the one it belongs to (32 bits), both big-endian.
    entries BLOB    NOT NULL
);
