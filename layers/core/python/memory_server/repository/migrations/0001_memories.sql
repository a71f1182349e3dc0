-- Memories, their history, the outbox and the idempotency keys, each behind row-level security from the start.
-- The current role is memory_owner; the extension vector is there.

CREATE TABLE memories (
    id uuid PRIMARY KEY,
    user_id text NOT NULL CHECK (user_id <> ''),
    content text NOT NULL,
    content_sha256 bytea NOT NULL,
    project text,
    session_id text,
    memory_type text NOT NULL
        CHECK (memory_type IN ('conversation', 'function', 'context', 'knowledge', 'decision', 'error', 'warning')),
    tags text[] NOT NULL,
    importance double precision NOT NULL CHECK (importance BETWEEN 0 AND 1),
    metadata jsonb NOT NULL CHECK (jsonb_typeof(metadata) = 'object'),
    version integer NOT NULL DEFAULT 1,
    -- False where the user asked to store the content although it was there.
    deduplicate boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    -- In the row and never beside it: the exact search reads every vector of a user.
    embedding halfvec(384) STORAGE PLAIN NOT NULL,
    embedding_model text NOT NULL,
    -- The memory's own words have the highest weight, so that words of its neighbours can join them at a lower one.
    keywords tsvector NOT NULL GENERATED ALWAYS AS (setweight(to_tsvector('english', content), 'A')) STORED
);

-- One memory a content, project and user; those stored on purpose beside it differ by their id.
CREATE UNIQUE INDEX memories_content_key ON memories
    (user_id, content_sha256, coalesce(project, ''), (CASE WHEN NOT deduplicate THEN id END)) NULLS NOT DISTINCT;
CREATE INDEX memories_newest ON memories (user_id, created_at DESC, id DESC);
CREATE INDEX memories_keywords ON memories USING gin (keywords);
CREATE INDEX memories_embedding ON memories USING hnsw (embedding halfvec_cosine_ops);

CREATE TABLE memory_versions (
    id uuid NOT NULL,
    user_id text NOT NULL CHECK (user_id <> ''),
    content text NOT NULL,
    project text,
    session_id text,
    memory_type text NOT NULL,
    tags text[] NOT NULL,
    importance double precision NOT NULL,
    metadata jsonb NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    expires_at timestamptz,
    replaced_at timestamptz NOT NULL DEFAULT now(),
    replaced_by text NOT NULL CHECK (replaced_by IN ('update', 'delete')),
    PRIMARY KEY (id, version)
);

CREATE TABLE outbox (
    id uuid PRIMARY KEY,
    user_id text NOT NULL CHECK (user_id <> ''),
    hook text NOT NULL,
    event jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz
);

CREATE INDEX outbox_unpublished ON outbox (created_at, id) WHERE published_at IS NULL;
CREATE INDEX outbox_published ON outbox (published_at) WHERE published_at IS NOT NULL;

CREATE TABLE idempotency_keys (
    user_id text NOT NULL CHECK (user_id <> ''),
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    memory_ids uuid[],
    created boolean[],
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);

CREATE INDEX idempotency_keys_age ON idempotency_keys (user_id, created_at);

-- A transaction that has not set app.user_id sees NULL or '' there, which is nobody.
ALTER TABLE memories ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE memory_versions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY own_rows ON memories TO memory_app USING (user_id = current_setting('app.user_id', true));
CREATE POLICY own_rows ON memory_versions TO memory_app USING (user_id = current_setting('app.user_id', true));
CREATE POLICY own_rows ON outbox TO memory_app USING (user_id = current_setting('app.user_id', true));
CREATE POLICY own_rows ON idempotency_keys TO memory_app USING (user_id = current_setting('app.user_id', true));
CREATE POLICY all_rows ON outbox TO memory_relay USING (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON memories, idempotency_keys TO memory_app;
GRANT SELECT, INSERT ON memory_versions TO memory_app;
GRANT SELECT, INSERT, UPDATE (published_at) ON outbox TO memory_app;
GRANT SELECT, UPDATE (published_at), DELETE ON outbox TO memory_relay;
