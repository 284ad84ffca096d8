-- Which gateway processes share one database, so that each can tell what its portion
-- of the channels is. A store in a file has one; there this table stays empty.

CREATE TABLE processes (
    -- As in `leases`.
    holder     BLOB    NOT NULL CHECK (length(holder) = 16),
    -- Milliseconds by the database's clock, since 1970. From then on it counts as gone.
    seen_until INTEGER NOT NULL,
    PRIMARY KEY (holder)
) WITHOUT ROWID;
