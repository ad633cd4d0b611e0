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

-- The ledger: one row per proxied request, in the order of their ends. The columns behind seq are those of
-- model.usage.UsageRow. seq grows by one with each row and nothing is ever deleted, so a range of seq is a range of
-- time; usage_hourly says which one. That is why no index but the request id's burdens the hot path.
CREATE TABLE usage (
  seq INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL UNIQUE,
  at_ns INTEGER NOT NULL,
  consumer_id TEXT,
  consumer TEXT,
  credential_id TEXT,
  tier TEXT,
  route_id TEXT,
  service_id TEXT,
  method TEXT NOT NULL,
  status INTEGER NOT NULL,
  decision TEXT NOT NULL,
  deny_reason TEXT,
  complete INTEGER NOT NULL,
  upstream_status INTEGER,
  gateway_us INTEGER NOT NULL,
  upstream_us INTEGER,
  total_us INTEGER NOT NULL,
  bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL
);

-- Sums of the ledger by hour (of at_ns) and by what is asked for; absent names are ''. The rows that a sum was made
-- of lie between first_seq and last_seq.
CREATE TABLE usage_hourly (
  consumer_id TEXT NOT NULL,
  hour INTEGER NOT NULL,
  consumer TEXT NOT NULL,
  tier TEXT NOT NULL,
  route_id TEXT NOT NULL,
  service_id TEXT NOT NULL,
  decision TEXT NOT NULL,
  deny_reason TEXT NOT NULL,
  status INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  incomplete INTEGER NOT NULL,
  bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL,
  gateway_us INTEGER NOT NULL,
  total_us INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  PRIMARY KEY (consumer_id, hour, consumer, tier, route_id, service_id, decision, deny_reason, status)
) WITHOUT ROWID;
CREATE INDEX usage_hourly_hour ON usage_hourly (hour);
CREATE INDEX usage_hourly_consumer ON usage_hourly (consumer, hour);

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
