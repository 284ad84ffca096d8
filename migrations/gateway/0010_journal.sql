-- How far the journal has been written into these tables.
--
-- A store in a file keeps a journal beside the file: what has been acknowledged is there first,
-- and comes here in larger groups. A store on a server has none, and its row stays as it is.
CREATE TABLE journal (
    -- The number of the last frame that is in the tables, raised by the transaction that writes
    -- it into them.
    applied INTEGER NOT NULL,
    -- What the journal's frames are sealed with; made up when a file is opened first.
    seal    BLOB CHECK (length(seal) = 32)
);

INSERT INTO journal (applied) VALUES (0);
