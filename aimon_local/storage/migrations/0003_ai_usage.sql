-- What an AI call used, beside its row in usage_rows (model.ai.AiRecord); money in nano-dollars. Lists are words with
-- blanks between them. Written in the transaction of the request's row.
CREATE TABLE ai_usage (
  request_id TEXT NOT NULL PRIMARY KEY,
  dialect TEXT NOT NULL,
  tier TEXT NOT NULL,
  model TEXT NOT NULL,
  served TEXT,
  stream INTEGER NOT NULL,
  estimate INTEGER NOT NULL,
  reserved_input INTEGER NOT NULL,
  reserved_output INTEGER NOT NULL,
  reserved_cost INTEGER NOT NULL,
  input INTEGER NOT NULL,
  cache_read INTEGER NOT NULL,
  cache_write INTEGER NOT NULL,
  output INTEGER NOT NULL,
  reasoning INTEGER NOT NULL,
  cost INTEGER NOT NULL,
  charge INTEGER NOT NULL,
  source TEXT NOT NULL,
  complete INTEGER NOT NULL,
  finish_reason TEXT,
  flags TEXT NOT NULL,
  shadow TEXT NOT NULL,
  denied_limit TEXT,
  requested INTEGER NOT NULL,
  used INTEGER NOT NULL
) WITHOUT ROWID;
