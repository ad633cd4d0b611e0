-- How far the ledger was pushed to a sink: the number of the last row that the sink has taken.
CREATE TABLE push_cursors (
  sink TEXT NOT NULL PRIMARY KEY,
  seq INTEGER NOT NULL
) WITHOUT ROWID;
