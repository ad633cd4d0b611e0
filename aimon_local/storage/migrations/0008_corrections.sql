-- Corrections of what a call cost and brought: rows of their own that refer to the call, in nano-dollars more or less.
-- call_ns, party and model are the call's, so that sums need not look it up. Rows are chained as those of the ledger
-- are, and like them never changed.
CREATE TABLE ai_corrections (
  id INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL,
  at_ns INTEGER NOT NULL,
  call_ns INTEGER NOT NULL,
  party INTEGER NOT NULL,
  model TEXT NOT NULL,
  cost INTEGER NOT NULL,
  charge INTEGER NOT NULL,
  chain BLOB NOT NULL
);
CREATE INDEX ai_corrections_call ON ai_corrections (call_ns);
CREATE INDEX ai_corrections_request ON ai_corrections (request_id);
