-- Entities, the usage ledger with its hourly sums, counters, and what the install knows of itself.
--
-- Entities: the whole document is in "body" (JSON); only what constraints need has a column of its own. References
-- are checked at commit, so that the order within one transaction does not matter. Where Kong deletes dependents,
-- so do we; where Kong refuses, the delete fails here too.

CREATE TABLE certificates (
  id TEXT NOT NULL PRIMARY KEY,
  body TEXT NOT NULL
);

CREATE TABLE ca_certificates (
  id TEXT NOT NULL PRIMARY KEY,
  cert_digest TEXT UNIQUE,
  body TEXT NOT NULL
);

CREATE TABLE snis (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  certificate_id TEXT NOT NULL REFERENCES certificates (id) DEFERRABLE INITIALLY DEFERRED,
  body TEXT NOT NULL
);
CREATE INDEX snis_certificate ON snis (certificate_id);

CREATE TABLE services (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT UNIQUE,
  client_certificate_id TEXT REFERENCES certificates (id) DEFERRABLE INITIALLY DEFERRED,
  body TEXT NOT NULL
);
CREATE INDEX services_client_certificate ON services (client_certificate_id);

CREATE TABLE routes (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT UNIQUE,
  service_id TEXT REFERENCES services (id) DEFERRABLE INITIALLY DEFERRED,
  body TEXT NOT NULL
);
CREATE INDEX routes_service ON routes (service_id);

CREATE TABLE consumers (
  id TEXT NOT NULL PRIMARY KEY,
  username TEXT UNIQUE,
  custom_id TEXT UNIQUE,
  body TEXT NOT NULL
);

CREATE TABLE consumer_groups (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL
);

CREATE TABLE consumer_group_consumers (
  id TEXT NOT NULL PRIMARY KEY,
  consumer_group_id TEXT NOT NULL
    REFERENCES consumer_groups (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  consumer_id TEXT NOT NULL REFERENCES consumers (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  body TEXT NOT NULL,
  UNIQUE (consumer_group_id, consumer_id)
);
CREATE INDEX consumer_group_consumers_consumer ON consumer_group_consumers (consumer_id);

CREATE TABLE plugins (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  instance_name TEXT UNIQUE,
  route_id TEXT REFERENCES routes (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  service_id TEXT REFERENCES services (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  consumer_id TEXT REFERENCES consumers (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  consumer_group_id TEXT REFERENCES consumer_groups (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  body TEXT NOT NULL
);
-- A scope that is absent counts as a value of its own: two global plugins of one name are one too many.
CREATE UNIQUE INDEX plugins_scope ON plugins (
  name, COALESCE(route_id, ''), COALESCE(service_id, ''), COALESCE(consumer_id, ''), COALESCE(consumer_group_id, '')
);
CREATE INDEX plugins_route ON plugins (route_id);
CREATE INDEX plugins_service ON plugins (service_id);
CREATE INDEX plugins_consumer ON plugins (consumer_id);
CREATE INDEX plugins_consumer_group ON plugins (consumer_group_id);

CREATE TABLE upstreams (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  client_certificate_id TEXT REFERENCES certificates (id) DEFERRABLE INITIALLY DEFERRED,
  body TEXT NOT NULL
);
CREATE INDEX upstreams_client_certificate ON upstreams (client_certificate_id);

CREATE TABLE targets (
  id TEXT NOT NULL PRIMARY KEY,
  upstream_id TEXT NOT NULL REFERENCES upstreams (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  target TEXT NOT NULL,
  body TEXT NOT NULL,
  UNIQUE (upstream_id, target)
);

CREATE TABLE keyauth_credentials (
  id TEXT NOT NULL PRIMARY KEY,
  consumer_id TEXT NOT NULL REFERENCES consumers (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  key TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL
);
CREATE INDEX keyauth_credentials_consumer ON keyauth_credentials (consumer_id);

CREATE TABLE basicauth_credentials (
  id TEXT NOT NULL PRIMARY KEY,
  consumer_id TEXT NOT NULL REFERENCES consumers (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  username TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL
);
CREATE INDEX basicauth_credentials_consumer ON basicauth_credentials (consumer_id);

CREATE TABLE jwt_secrets (
  id TEXT NOT NULL PRIMARY KEY,
  consumer_id TEXT NOT NULL REFERENCES consumers (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  key TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL
);
CREATE INDEX jwt_secrets_consumer ON jwt_secrets (consumer_id);

CREATE TABLE acls (
  id TEXT NOT NULL PRIMARY KEY,
  consumer_id TEXT NOT NULL REFERENCES consumers (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  "group" TEXT NOT NULL,
  body TEXT NOT NULL,
  UNIQUE (consumer_id, "group")
);

-- The ledger. A row is kept small: what repeats (who, where, how decided) is one line of usage_parties, absent names
-- as ''. The view "usage" shows rows in the shape of model.usage.UsageRow.
CREATE TABLE usage_parties (
  id INTEGER PRIMARY KEY,
  consumer_id TEXT NOT NULL,
  consumer TEXT NOT NULL,
  credential_id TEXT NOT NULL,
  tier TEXT NOT NULL,
  route_id TEXT NOT NULL,
  service_id TEXT NOT NULL,
  decision TEXT NOT NULL,
  deny_reason TEXT NOT NULL,
  UNIQUE (consumer_id, consumer, credential_id, tier, route_id, service_id, decision, deny_reason)
);
CREATE INDEX usage_parties_consumer ON usage_parties (consumer);

-- One row per proxied request, in the order of their ends. seq grows by one with each row and nothing is ever
-- deleted, so a range of seq is a range of time; usage_hourly says which one. That is why no index but the request
-- id's burdens the hot path.
CREATE TABLE usage_rows (
  seq INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL UNIQUE,
  at_ns INTEGER NOT NULL,
  party INTEGER NOT NULL,
  method TEXT NOT NULL,
  status INTEGER NOT NULL,
  complete INTEGER NOT NULL,
  upstream_status INTEGER,
  gateway_us INTEGER NOT NULL,
  upstream_us INTEGER,
  total_us INTEGER NOT NULL,
  bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL
);

CREATE VIEW usage AS
SELECT
  seq, request_id, at_ns, NULLIF(consumer_id, '') AS consumer_id, NULLIF(consumer, '') AS consumer,
  NULLIF(credential_id, '') AS credential_id, NULLIF(tier, '') AS tier, NULLIF(route_id, '') AS route_id,
  NULLIF(service_id, '') AS service_id, method, status, decision, NULLIF(deny_reason, '') AS deny_reason, complete,
  upstream_status, gateway_us, upstream_us, total_us, bytes_in, bytes_out, party
FROM usage_rows JOIN usage_parties ON usage_parties.id = usage_rows.party;

-- Sums of the rows up to usage_folded.seq, by hour (of at_ns), party and status; what is behind it is summed when
-- asked for, and folded in now and then. The rows that a sum was made of lie between first_seq and last_seq.
CREATE TABLE usage_hourly (
  party INTEGER NOT NULL,
  hour INTEGER NOT NULL,
  status INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  incomplete INTEGER NOT NULL,
  bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL,
  gateway_us INTEGER NOT NULL,
  total_us INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  PRIMARY KEY (party, hour, status)
) WITHOUT ROWID;
CREATE INDEX usage_hourly_hour ON usage_hourly (hour);

CREATE TABLE usage_folded (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  seq INTEGER NOT NULL
);
INSERT INTO usage_folded (id, seq) VALUES (1, 0);

-- The newest window of each counter (model.usage.CounterChange).
CREATE TABLE counters (
  key TEXT NOT NULL,
  unit TEXT NOT NULL,
  start INTEGER NOT NULL,
  value INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  PRIMARY KEY (key, unit)
) WITHOUT ROWID;

CREATE TABLE meta (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
