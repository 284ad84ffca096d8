-- What a gateway must not lose: which channels it serves, every generation it has
-- acknowledged, and every settlement it has begun.
--
-- Amounts are base units in INTEGER columns: the gateway serves no channel that holds more
-- than 2^63 - 1. Instants are unix seconds. Digests, keys and signatures are BLOBs.

-- A channel this gateway serves. The same address opened again is another row.
CREATE TABLE channels (
    id          INTEGER PRIMARY KEY,
    address     BLOB    NOT NULL CHECK (length(address) = 32),
    opened_slot INTEGER NOT NULL,
    -- The account's data as the chain last had it: restoring needs no node.
    account     BLOB    NOT NULL,
    UNIQUE (address, opened_slot)
);

-- A generation that was paid for: the receipt, field by field, and the voucher that was newest
-- with it. The newest voucher of a statement is that of its last position.
CREATE TABLE generations (
    channel_id         INTEGER NOT NULL REFERENCES channels (id),
    statement          INTEGER NOT NULL,
    -- Counts a statement's generations from 0, without gaps.
    position           INTEGER NOT NULL,
    idempotency_key    TEXT    NOT NULL,
    -- SHA-256 of what was asked with that key: another request may not use it again.
    body_digest        BLOB    NOT NULL CHECK (length(body_digest) = 32),
    license            INTEGER NOT NULL,
    units              INTEGER NOT NULL,
    terms_number       INTEGER NOT NULL,
    amount             INTEGER NOT NULL,
    cumulative         INTEGER NOT NULL,
    work               BLOB    NOT NULL CHECK (length(work) = 32),
    request_digest     BLOB    NOT NULL CHECK (length(request_digest) = 32),
    output_digest      BLOB    NOT NULL CHECK (length(output_digest) = 32),
    issued_at          INTEGER NOT NULL,
    receipt_signature  BLOB    NOT NULL CHECK (length(receipt_signature) = 64),
    -- SHA-256 of the receipt's bytes: how others name it.
    receipt_digest     BLOB    NOT NULL CHECK (length(receipt_digest) = 32),
    voucher_expires_at INTEGER NOT NULL,
    voucher_signature  BLOB    NOT NULL CHECK (length(voucher_signature) = 64),
    PRIMARY KEY (channel_id, statement, position)
) WITHOUT ROWID;

-- One key, one generation. A voucher names its statement, so a retry is always looked up in
-- the statement it was first taken in.
CREATE UNIQUE INDEX generations_by_key ON generations (channel_id, statement, idempotency_key);

-- Proofs are asked for by digest.
CREATE INDEX generations_by_receipt ON generations (receipt_digest);

-- A statement that takes no more generations.
CREATE TABLE statements (
    channel_id    INTEGER NOT NULL REFERENCES channels (id),
    number        INTEGER NOT NULL,
    -- What settles: 6 bytes an entry.
    entries       BLOB    NOT NULL,
    prices        INTEGER NOT NULL,
    cut_at        INTEGER NOT NULL,
    -- From here on NULL until the chain has it.
    fee           INTEGER,
    cumulative    INTEGER,
    -- NULL as well when somebody other than the operator settled it.
    receipts_root BLOB,
    -- The leaf of the channel's mountain range.
    record_hash   BLOB,
    settled_at    INTEGER,
    PRIMARY KEY (channel_id, number)
) WITHOUT ROWID;

-- A settlement transaction, stored before it is sent. The same bytes are sent until they land
-- or cannot land any more; only then is another one signed.
CREATE TABLE transactions (
    signature         BLOB    PRIMARY KEY CHECK (length(signature) = 64),
    channel_id        INTEGER NOT NULL REFERENCES channels (id),
    statement         INTEGER NOT NULL,
    bytes             BLOB    NOT NULL,
    -- The last block that can contain it.
    last_valid_height INTEGER NOT NULL,
    receipts_root     BLOB    NOT NULL CHECK (length(receipts_root) = 32),
    -- 'pending', 'landed', 'refused' or 'expired'.
    outcome           TEXT    NOT NULL DEFAULT 'pending'
) WITHOUT ROWID;

CREATE INDEX transactions_by_statement ON transactions (channel_id, statement);
