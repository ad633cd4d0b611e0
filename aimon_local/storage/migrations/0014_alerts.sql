-- Alerts that were told, and whether the webhook has them: after a restart none is told twice, none is lost.
CREATE TABLE alerts (
  number INTEGER NOT NULL PRIMARY KEY,
  id TEXT NOT NULL,
  state TEXT NOT NULL,
  at_ns INTEGER NOT NULL,
  why TEXT NOT NULL,
  subject TEXT NOT NULL,
  consumer TEXT NOT NULL,
  tier TEXT NOT NULL,
  limit_name TEXT NOT NULL,
  percent INTEGER NOT NULL,
  amount INTEGER NOT NULL,
  used INTEGER NOT NULL,
  ends INTEGER NOT NULL,
  request_id TEXT NOT NULL,
  delivered INTEGER NOT NULL DEFAULT 0,
  UNIQUE (id, state)
);
CREATE INDEX alerts_to_deliver ON alerts (number) WHERE delivered = 0;
