-- Each row carries a hash over the one before, its own content and what an AI call used (storage/chain.py), keyed with
-- the install's secret. The chain begins behind the rows that were there before: chain_start.seq, which the first hash covers.
ALTER TABLE usage_rows ADD COLUMN chain BLOB;

CREATE TABLE chain_start (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  seq INTEGER NOT NULL
);
INSERT INTO chain_start (id, seq) SELECT 1, COALESCE(MAX(seq), 0) FROM usage_rows;
