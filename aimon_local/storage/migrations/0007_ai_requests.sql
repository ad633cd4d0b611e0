-- How many of the calls count as a request (those that were admitted and not given back): bills need it. All sums are
-- made anew from their rows.
ALTER TABLE ai_hourly ADD COLUMN requests INTEGER NOT NULL DEFAULT 0;
DELETE FROM ai_hourly;
INSERT INTO ai_hourly
SELECT
  party, at_ns / 3600000000000, model, COUNT(*), SUM(source = 'estimated'), SUM(input), SUM(cache_read),
  SUM(cache_write), SUM(output), SUM(reasoning), SUM(cost), SUM(charge),
  SUM(denied_limit IS NULL AND instr(' ' || flags || ' ', ' released ') = 0)
FROM usage_rows JOIN ai_usage USING (request_id)
WHERE seq <= (SELECT seq FROM usage_folded)
GROUP BY 1, 2, 3;
