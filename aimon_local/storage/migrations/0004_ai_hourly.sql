-- Sums of ai_usage by hour, party and model, of the rows up to usage_folded.seq: filled in the same step as usage_hourly.
CREATE TABLE ai_hourly (
  party INTEGER NOT NULL,
  hour INTEGER NOT NULL,
  model TEXT NOT NULL,
  calls INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  input INTEGER NOT NULL,
  cache_read INTEGER NOT NULL,
  cache_write INTEGER NOT NULL,
  output INTEGER NOT NULL,
  reasoning INTEGER NOT NULL,
  cost INTEGER NOT NULL,
  charge INTEGER NOT NULL,
  PRIMARY KEY (party, hour, model)
) WITHOUT ROWID;
CREATE INDEX ai_hourly_hour ON ai_hourly (hour);

-- What was folded before this table was there.
INSERT INTO ai_hourly
SELECT
  party, at_ns / 3600000000000, model, COUNT(*), SUM(source = 'estimated'), SUM(input), SUM(cache_read),
  SUM(cache_write), SUM(output), SUM(reasoning), SUM(cost), SUM(charge)
FROM usage_rows JOIN ai_usage USING (request_id)
WHERE seq <= (SELECT seq FROM usage_folded)
GROUP BY 1, 2, 3;
