-- How the gateway's clock runs where it was moved (clock.Setting): no row, and it is the machine's. And by how much the
-- clock differed from the machine's when a row's request came: at_ns - shift_ns is real time.
CREATE TABLE clock (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  real_ns INTEGER NOT NULL,
  wall_ns INTEGER NOT NULL,
  speed INTEGER NOT NULL
);
ALTER TABLE usage_rows ADD COLUMN shift_ns INTEGER NOT NULL DEFAULT 0;

DROP VIEW usage;
CREATE VIEW usage AS
SELECT
  seq, request_id, at_ns, NULLIF(consumer_id, '') AS consumer_id, NULLIF(consumer, '') AS consumer,
  NULLIF(credential_id, '') AS credential_id, NULLIF(tier, '') AS tier, NULLIF(route_id, '') AS route_id,
  NULLIF(service_id, '') AS service_id, method, status, decision, NULLIF(deny_reason, '') AS deny_reason, complete,
  upstream_status, gateway_us, upstream_us, total_us, bytes_in, bytes_out, shift_ns, party
FROM usage_rows JOIN usage_parties ON usage_parties.id = usage_rows.party;
