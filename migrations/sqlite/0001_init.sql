-- Tables of a gateway's store in a file. They are STRICT: SQLite turns an integer that overflows into
-- a floating-point number otherwise.
--
-- Amounts are base units; the gateway serves no channel that holds more than 2^63 - 1. Times are
-- unix seconds. Digests, keys and signatures are BLOBs.

-- Channels the gateway serves. An address that is opened again is another row.
CREATE TABLE channels (
    id          INTEGER PRIMARY KEY,
    address     BLOB    NOT NULL CHECK (length(address) = 32),
    opened_slot INTEGER NOT NULL,
    -- The account's data when it was last recorded. Recovery needs no node.
    account     BLOB    NOT NULL,
    -- Maximum of prices and fees since the channel opened; NULL for the whole deposit.
    budget      INTEGER,
    UNIQUE (address, opened_slot),
    CHECK (opened_slot >= 0 AND budget >= 0)
) STRICT;

-- API keys. `token_digest` is keyed, so that a copy of this table lets no reader use a token or
-- test a guess. Keys are never deleted: generations refer to them.
CREATE TABLE api_keys (
    id           BLOB    PRIMARY KEY CHECK (length(id) = 8),
    name         TEXT    NOT NULL,
    token_digest BLOB    NOT NULL CHECK (length(token_digest) = 32),
    -- Bits: 1 meter, 2 read, 4 admin.
    scopes       INTEGER NOT NULL,
    -- Channels whose receipts and usage the key may read, 32 bytes each.
    channels     BLOB    NOT NULL CHECK (length(channels) % 32 = 0),
    -- Maximum the key may ever spend, fees included; NULL for no maximum.
    budget       INTEGER,
    -- Raised by the transaction that stores the generations; stays at 2^63 - 1 once it is there.
    spent        INTEGER NOT NULL DEFAULT 0,
    created_at   INTEGER NOT NULL,
    -- Last second in which the key is valid; NULL for no end.
    expires_at   INTEGER,
    -- NULL while the key is valid.
    revoked_at   INTEGER,
    CHECK (scopes BETWEEN 0 AND 7 AND budget >= 0 AND spent >= 0)
) WITHOUT ROWID, STRICT;

-- Mark of the key under which tokens are digested and from which webhooks' secrets are derived: another
-- key than the store's is noticed at a start. One row, created by the first start.
CREATE TABLE digest_key (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    -- Derived from the key by BLAKE3.
    mark BLOB    NOT NULL CHECK (length(mark) = 32)
) STRICT;

-- Generations that were paid for: the receipt field by field, and the newest voucher at the time.
-- Rows are appended in the order of arrival, so that a batch writes few pages however large the
-- table is. Values that no query filters or adds up are in one column, `evidence`.
CREATE TABLE generations (
    -- Counts from 1 without gaps.
    id                 INTEGER PRIMARY KEY,
    channel_id         INTEGER NOT NULL REFERENCES channels (id),
    statement          INTEGER NOT NULL,
    -- Counts a statement's generations from 0 without gaps.
    position           INTEGER NOT NULL,
    idempotency_key    TEXT    NOT NULL,
    -- Counts the generations of one batch, which share a key, from 0.
    part               INTEGER NOT NULL,
    license            INTEGER NOT NULL,
    units              INTEGER NOT NULL,
    terms_number       INTEGER NOT NULL,
    amount             INTEGER NOT NULL,
    cumulative         INTEGER NOT NULL,
    -- Added to the channel's total: the price, and the growth of the operator's fee.
    charged            INTEGER NOT NULL,
    issued_at          INTEGER NOT NULL,
    voucher_expires_at INTEGER NOT NULL,
    work               BLOB    NOT NULL CHECK (length(work) = 32),
    -- NULL for a request without an API key.
    api_key            BLOB    REFERENCES api_keys (id),
    -- Byte 0 is the layout's number, the digit 1 (0x31). Then, concatenated: SHA-256 of the receipt,
    -- of the output and of the request (32 bytes each); the signature that covers the receipt and
    -- the voucher's signature (64 each); the voucher's key (32); and, if the receipt was signed in a
    -- bundle, its Merkle path (more than 32).
    evidence           BLOB    NOT NULL CHECK (length(evidence) >= 257),
    CHECK (statement >= 0 AND position >= 0 AND part >= 0 AND license >= 0 AND units >= 0
        AND terms_number >= 0 AND amount >= 0 AND cumulative >= 0 AND charged >= 0)
) STRICT;

CREATE UNIQUE INDEX generations_by_position ON generations (channel_id, statement, position);

-- Statements that were cut: they take no more generations.
CREATE TABLE statements (
    channel_id    INTEGER NOT NULL REFERENCES channels (id),
    number        INTEGER NOT NULL,
    -- The entries to settle, 6 bytes each.
    entries       BLOB    NOT NULL,
    prices        INTEGER NOT NULL,
    cut_at        INTEGER NOT NULL,
    -- BLAKE3 of the columns above.
    cut_checksum  BLOB    NOT NULL CHECK (length(cut_checksum) = 32),
    -- The columns below are NULL until the chain has the statement.
    fee           INTEGER,
    cumulative    INTEGER,
    -- NULL as well if another party than the operator settled the statement.
    receipts_root BLOB,
    -- The statement's leaf in the channel's Merkle mountain range.
    record_hash   BLOB,
    settled_at    INTEGER,
    -- BLAKE3 of channel, number and the columns above that are NULL until then.
    settled_checksum BLOB CHECK (length(settled_checksum) = 32),
    PRIMARY KEY (channel_id, number),
    CHECK (number >= 0 AND prices >= 0 AND fee >= 0 AND cumulative >= 0)
) WITHOUT ROWID, STRICT;

-- Settlement transactions, stored before they are sent. The same bytes are sent until they land or
-- expire; only then is another transaction signed.
CREATE TABLE transactions (
    signature         BLOB    PRIMARY KEY CHECK (length(signature) = 64),
    channel_id        INTEGER NOT NULL REFERENCES channels (id),
    statement         INTEGER NOT NULL,
    bytes             BLOB    NOT NULL,
    -- Last block height at which the transaction can land.
    last_valid_height INTEGER NOT NULL,
    receipts_root     BLOB    NOT NULL CHECK (length(receipts_root) = 32),
    outcome           TEXT    NOT NULL DEFAULT 'pending',
    CHECK (outcome IN ('pending', 'landed', 'refused', 'final', 'expired')),
    CHECK (statement >= 0 AND last_valid_height >= 0)
) WITHOUT ROWID, STRICT;

CREATE INDEX transactions_by_statement ON transactions (channel_id, statement);

-- Room reserved for generations whose units are not known yet. A hold that is neither captured nor
-- released expires. Rows are deleted a day after they expire, whatever their outcome.
CREATE TABLE holds (
    -- SHA-256 of channel, incarnation and idempotency key.
    id             BLOB    PRIMARY KEY CHECK (length(id) = 32),
    channel_id     INTEGER NOT NULL REFERENCES channels (id),
    license        INTEGER NOT NULL,
    -- Maximum units of the generation.
    units          INTEGER NOT NULL,
    request_digest BLOB    NOT NULL CHECK (length(request_digest) = 32),
    -- Last second in which the hold can be captured.
    expires_at     INTEGER NOT NULL,
    -- Key of the seller that placed it; NULL without an API key.
    api_key        BLOB    REFERENCES api_keys (id),
    -- NULL while open.
    outcome        TEXT,
    -- Statement of the generation that captured it; NULL unless captured.
    statement      INTEGER,
    CHECK (outcome IN ('captured', 'released')),
    CHECK (license >= 0 AND units >= 0 AND statement >= 0)
) WITHOUT ROWID, STRICT;

CREATE INDEX open_holds ON holds (channel_id) WHERE outcome IS NULL;
CREATE INDEX holds_by_end ON holds (expires_at);

-- Lamports that the operator paid for confirmed transactions.
CREATE TABLE expenses (
    signature BLOB  PRIMARY KEY CHECK (length(signature) = 64),
    kind      TEXT  NOT NULL CHECK (kind IN ('settle', 'close', 'claim', 'sale', 'sponsorship')),
    lamports  INTEGER NOT NULL CHECK (lamports >= 0),
    -- Unix seconds.
    spent_at  INTEGER NOT NULL
) WITHOUT ROWID, STRICT;

-- Payments to tills, stored before they are sent: sales of answers, and payments that this gateway
-- settles for other sellers. Never deleted: a payment that was seen is not sent again.
CREATE TABLE sales (
    -- SHA-256 of the transaction's message, which the buyer signed.
    payment           BLOB    PRIMARY KEY CHECK (length(payment) = 32),
    wallet            BLOB    NOT NULL CHECK (length(wallet) = 32),
    -- SHA-256 of the request that is answered; zeros for another seller. The acceptance has that of the
    -- request that was paid for, which differs if the model server refused it.
    request_digest    BLOB    NOT NULL CHECK (length(request_digest) = 32),
    -- Name that the buyer gave to the payment; empty without one.
    name              TEXT    NOT NULL,
    -- What the payment's memo commits to; empty for another seller.
    acceptance        BLOB    NOT NULL CHECK (length(acceptance) IN (0, 272)),
    -- Parts of the work and of the operator in the till; 0 for another seller.
    parts             INTEGER NOT NULL CHECK (parts >= 0),
    operator_parts    INTEGER NOT NULL CHECK (operator_parts >= 0),
    -- Name of the stored answer. A payment that replaces a failed one has its answer.
    answer            BLOB    NOT NULL CHECK (length(answer) = 32),
    -- URL of the process that made the answer.
    holder            TEXT    NOT NULL,
    signature         BLOB    NOT NULL UNIQUE CHECK (length(signature) = 64),
    -- The signed transaction; empty after its end.
    bytes             BLOB    NOT NULL,
    -- Block height after which the transaction cannot land.
    last_valid_height INTEGER NOT NULL CHECK (last_valid_height >= 0),
    state             TEXT    NOT NULL DEFAULT 'sent' CHECK (state IN ('sent', 'landed', 'failed', 'expired')),
    sent_at           INTEGER NOT NULL,
    -- NULL while `state` is `sent`.
    ended_at          INTEGER,
    -- SHA-256 of the answer; NULL before it is made.
    output_digest     BLOB,
    -- NULL until a response with the whole answer was sent.
    delivered_at      INTEGER,
    -- Time at which the model server refused the request of a payment that has landed; NULL if it did not.
    refused_at        INTEGER,
    -- Recipient of another seller's payment that came without an API key; empty for all others.
    seller            BLOB    NOT NULL CHECK (length(seller) IN (0, 32)),
    -- Random number of the call that was answered that another seller's payment has landed; NULL before.
    told_call         BLOB CHECK (length(told_call) = 16)
) WITHOUT ROWID, STRICT;

CREATE INDEX sales_by_request ON sales (wallet, request_digest, name);
CREATE INDEX refused_sales ON sales (wallet) WHERE refused_at IS NOT NULL AND output_digest IS NULL;
CREATE INDEX pending_sales ON sales (sent_at) WHERE state = 'sent';
CREATE INDEX sales_of_sellers ON sales (sent_at) WHERE length(seller) = 32;

-- Events that creators and payers are told. All tables with `event` in their names are written by one
-- process at a time, and never by the transactions of payments.
CREATE TABLE events (
    -- Ascends in the order of the commits.
    number  INTEGER PRIMARY KEY,
    -- SHA-256 of what happened.
    id      BLOB    NOT NULL UNIQUE CHECK (length(id) = 32),
    told_at INTEGER NOT NULL,
    -- JSON.
    body    TEXT    NOT NULL
) STRICT;

CREATE INDEX events_by_time ON events (told_at);

-- Who may read an event: addresses of persons and channels.
CREATE TABLE event_readers (
    reader BLOB    NOT NULL CHECK (length(reader) = 32),
    number INTEGER NOT NULL REFERENCES events (number),
    PRIMARY KEY (reader, number)
) WITHOUT ROWID, STRICT;

CREATE INDEX event_readers_by_event ON event_readers (number);

-- One row.
CREATE TABLE event_state (
    -- Raised by each transaction that tells events. One that expects another value is rolled back.
    version    INTEGER NOT NULL,
    -- Number of the newest event.
    newest     INTEGER NOT NULL,
    -- 1 once the chain was read: what is on it before is not told.
    chain_read INTEGER NOT NULL CHECK (chain_read IN (0, 1))
) STRICT;

INSERT INTO event_state (version, newest, chain_read) VALUES (0, 0, 0);

-- How much of a channel's generations and settlements is told.
CREATE TABLE event_cursors (
    channel_id INTEGER PRIMARY KEY REFERENCES channels (id),
    -- Place of the last generation; -1 before the first.
    statement  INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    -- Last settled statement; -1 before the first.
    settled    INTEGER NOT NULL
) STRICT;

-- Values of accounts that are told, such as what a recipient was paid.
CREATE TABLE event_marks (
    -- SHA-256 of the value's name.
    name  BLOB    PRIMARY KEY CHECK (length(name) = 32),
    value INTEGER NOT NULL
) WITHOUT ROWID, STRICT;

-- URLs to which persons have events sent. Their secrets are derived from the id and a key that is not in
-- the store.
CREATE TABLE webhooks (
    id            BLOB    PRIMARY KEY CHECK (length(id) = 16),
    person        BLOB    NOT NULL CHECK (length(person) = 32),
    url           TEXT    NOT NULL,
    -- Bits of the kinds of events.
    kinds         INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    -- First failure since the last success; NULL without one.
    failing_since INTEGER,
    -- NULL while it is enabled.
    disabled_at   INTEGER
) WITHOUT ROWID, STRICT;

CREATE INDEX webhooks_by_person ON webhooks (person);

-- Events that are sent to webhooks, and the outcome of the last try.
CREATE TABLE deliveries (
    webhook  BLOB    NOT NULL REFERENCES webhooks (id),
    event    INTEGER NOT NULL REFERENCES events (number),
    tries    INTEGER NOT NULL DEFAULT 0,
    -- NULL before the first try.
    tried_at INTEGER,
    -- HTTP status; NULL without an answer.
    status   INTEGER,
    -- NULL after a success.
    error    TEXT,
    -- Time of the next try, or the time from which another process may try; NULL after the end.
    next_at  INTEGER,
    PRIMARY KEY (webhook, event)
) WITHOUT ROWID, STRICT;

CREATE INDEX due_deliveries ON deliveries (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX deliveries_by_event ON deliveries (event);

-- How much of the journal is in the tables. The journal is two files beside this one: generations
-- are durable there first and are written here in larger batches. One row.
CREATE TABLE journal (
    -- Number of the last frame in the tables, raised by the transaction that writes its records.
    applied INTEGER NOT NULL,
    -- Key of the frames' checksums, created when the store is first opened.
    seal    BLOB CHECK (length(seal) = 32),
    -- 1 after a shutdown that wrote every frame into the tables: then the journal's files may be
    -- missing. The id in those files is derived from `seal`.
    clean   INTEGER NOT NULL DEFAULT 1 CHECK (clean IN (0, 1)),
    CHECK (applied >= 0)
) STRICT;

INSERT INTO journal (applied) VALUES (0);

-- Index of the generations by digest and key, written in runs of consecutive generations. A B-tree
-- index would write one page per entry in a large table. A run is written by the transaction that
-- writes its generations.
CREATE TABLE runs (
    -- `generations.id` of the first one.
    first    INTEGER NOT NULL PRIMARY KEY,
    count    INTEGER NOT NULL CHECK (count > 0),
    -- Least and greatest `issued_at` of the run.
    earliest INTEGER NOT NULL,
    latest   INTEGER NOT NULL,
    -- The first 32 bits of a tag, shifted right by this, are the number of its bucket.
    shift    INTEGER NOT NULL
) STRICT;

CREATE TABLE buckets (
    -- 65,536 times `runs.first`, plus the number of the bucket.
    place   INTEGER NOT NULL PRIMARY KEY,
    -- Sorted entries of 12 bytes, big-endian: a tag, which is 64 bits of a digest, and the offset of
    -- its generation in the run (32 bits).
    entries BLOB    NOT NULL
) STRICT;
