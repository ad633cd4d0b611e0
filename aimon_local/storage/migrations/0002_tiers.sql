-- Tiers with their amendments, price plans, and the price book.

CREATE TABLE tiers (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  consumer_id TEXT REFERENCES consumers (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  route_id TEXT REFERENCES routes (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  body TEXT NOT NULL
);
CREATE INDEX tiers_consumer ON tiers (consumer_id);
CREATE INDEX tiers_route ON tiers (route_id);

CREATE TABLE price_plans (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL
);

CREATE TABLE model_prices (
  id TEXT NOT NULL PRIMARY KEY,
  model TEXT NOT NULL,
  since INTEGER NOT NULL,
  body TEXT NOT NULL,
  UNIQUE (model, since)
);
