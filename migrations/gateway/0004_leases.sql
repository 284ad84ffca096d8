-- Which gateway process writes a channel, where several share one database.
--
-- A store in a file has one process, which the system's lock on the file sees to; there this
-- table stays empty.

CREATE TABLE leases (
    channel_id INTEGER NOT NULL REFERENCES channels (id),
    -- Names a process from its start to its end.
    holder     BLOB    NOT NULL CHECK (length(holder) = 16),
    -- Where clients find it.
    url        TEXT    NOT NULL,
    -- Grows whenever the lease is taken. Whatever is written for a channel names the epoch it
    -- was thought of in; of another epoch nothing is written. Rows are never deleted: epochs
    -- would begin anew.
    epoch      INTEGER NOT NULL,
    -- Milliseconds by the database's clock, since 1970. From then on others may take it.
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (channel_id)
) WITHOUT ROWID;

CREATE INDEX leases_by_holder ON leases (holder);
