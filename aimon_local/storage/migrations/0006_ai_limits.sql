-- What each limit held of an AI call before and after it (model.ai.LimitMark), and how long a refused one had to wait.
ALTER TABLE ai_usage ADD COLUMN limits TEXT NOT NULL DEFAULT '';
ALTER TABLE ai_usage ADD COLUMN wait INTEGER NOT NULL DEFAULT 0;
