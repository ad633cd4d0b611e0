-- The audit log: who did what, when, how it was before and after. Lines are chained by hashes that are keyed with the
-- install's secret (storage/audit.py), as the ledger's rows are; audit_head seals the newest one, so that lines that are
-- cut off at the end are missed too.
CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  at_ns INTEGER NOT NULL,
  real_ns INTEGER NOT NULL,
  actor TEXT NOT NULL,
  address TEXT NOT NULL,
  kind TEXT NOT NULL,
  action TEXT NOT NULL,
  entity TEXT NOT NULL,
  entity_id TEXT NOT NULL,
  name TEXT NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  chain BLOB NOT NULL
);
CREATE INDEX audit_entity ON audit (entity_id);
CREATE TABLE audit_head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  number INTEGER NOT NULL,
  seal BLOB NOT NULL
);

-- Questions to the operator when a soft limit is full, and what was answered. A granted one is head-room on that limit
-- until it ends; amounts are the limit's units, money in nano-dollars, times Unix nanoseconds.
CREATE TABLE approvals (
  id TEXT PRIMARY KEY,
  at_ns INTEGER NOT NULL,
  subject TEXT NOT NULL,
  consumer TEXT NOT NULL,
  tier TEXT NOT NULL,
  limit_name TEXT NOT NULL,
  amount INTEGER NOT NULL,
  used INTEGER NOT NULL,
  requested INTEGER NOT NULL,
  asked INTEGER NOT NULL,
  request_id TEXT NOT NULL,
  state TEXT NOT NULL,
  decided_ns INTEGER NOT NULL,
  decided_by TEXT NOT NULL,
  granted INTEGER NOT NULL,
  ends_ns INTEGER NOT NULL
);
CREATE INDEX approvals_state ON approvals (state, ends_ns);
