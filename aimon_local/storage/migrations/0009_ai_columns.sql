-- Whose agent an AI call was, in which run and how deep, its prompt's keyed hash, what behaviour guards said of it.
-- Older rows hold nothing of these, and their hashes go on fitting (storage/chain.py).
ALTER TABLE ai_usage ADD COLUMN agent TEXT;
ALTER TABLE ai_usage ADD COLUMN owner TEXT;
ALTER TABLE ai_usage ADD COLUMN run TEXT;
ALTER TABLE ai_usage ADD COLUMN depth INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ai_usage ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';
ALTER TABLE ai_usage ADD COLUMN guard TEXT NOT NULL DEFAULT '';
