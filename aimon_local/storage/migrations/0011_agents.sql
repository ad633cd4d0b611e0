-- Agents: consumers that act for an owner. The owner has no REFERENCES: where it is deleted, its agents stay and are stopped.

CREATE TABLE agents (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  consumer_id TEXT NOT NULL REFERENCES consumers (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  owner_id TEXT NOT NULL,
  body TEXT NOT NULL
);
CREATE UNIQUE INDEX agents_consumer ON agents (consumer_id);
CREATE INDEX agents_owner ON agents (owner_id);
