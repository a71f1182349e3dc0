-- Memories, their history, the outbox and the idempotency keys, each behind row-level security from the start.
-- The current role is memory_owner; the extension vector is there.

CREATE TABLE memories (
    -- Of fixed width, and therefore first: nearly every query looks at them.
    id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    importance double precision NOT NULL CHECK (importance BETWEEN 0 AND 1),
    version integer NOT NULL DEFAULT 1,
    -- False where the user asked to store the content although it was there.
    deduplicate boolean NOT NULL,
    expires_at timestamptz,
    user_id text NOT NULL CHECK (user_id <> ''),
    project text,
    session_id text,
    memory_type text NOT NULL
        CHECK (memory_type IN ('conversation', 'function', 'context', 'knowledge', 'decision', 'error', 'warning')),
    tags text[] NOT NULL,
    metadata jsonb NOT NULL CHECK (jsonb_typeof(metadata) = 'object'),
    content text NOT NULL,
    content_sha256 bytea NOT NULL,
    -- In the row and never beside it: the exact search reads every vector of a user.
    embedding halfvec(384) STORAGE PLAIN NOT NULL,
    embedding_model text NOT NULL,
    -- The memory's own words have the highest weight, so that words of its neighbours can join them at a lower one.
    keywords tsvector NOT NULL GENERATED ALWAYS AS (setweight(to_tsvector('english', content), 'A')) STORED,
    -- Of each user's own: ids come with loads too, and nobody may learn of another's.
    PRIMARY KEY (user_id, id)
);

-- One memory a content, project and user; those stored on purpose beside it differ by their id.
CREATE UNIQUE INDEX memories_content_key ON memories
    (user_id, content_sha256, coalesce(project, ''), (CASE WHEN NOT deduplicate THEN id END)) NULLS NOT DISTINCT;
CREATE INDEX memories_newest ON memories (user_id, created_at DESC, id DESC) INCLUDE (expires_at);
CREATE INDEX memories_project ON memories (user_id, project, created_at DESC, id DESC);
CREATE INDEX memories_session ON memories (user_id, session_id, created_at DESC, id DESC);

-- The indexes of searches. A load into an empty server makes them after the rows, which is many times faster; it does
-- not own the table, so the owner's functions do it, and drop nothing that anybody has rows in.
CREATE FUNCTION make_search_indexes() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public
AS $$
    CREATE INDEX memories_keywords ON memories USING gin (keywords);
    CREATE INDEX memories_embedding ON memories USING hnsw (embedding halfvec_cosine_ops);
$$;
CREATE FUNCTION drop_search_indexes() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public
AS $$
BEGIN
    IF EXISTS (SELECT FROM memories) THEN
        RETURN false;
    END IF;
    LOCK TABLE memories IN ACCESS EXCLUSIVE MODE;
    IF EXISTS (SELECT FROM memories) THEN
        RETURN false;
    END IF;
    DROP INDEX memories_keywords, memories_embedding;
    RETURN true;
END;
$$;
SELECT make_search_indexes();

-- Whether a memory is alive and fits a filter: the one definition for every query. Absent keys are no condition.
-- The planner inlines it, so that indexes serve its parts.
CREATE FUNCTION matches(memory memories, filter jsonb) RETURNS boolean LANGUAGE sql STABLE
RETURN (memory.expires_at IS NULL OR memory.expires_at > now())
    AND (filter ->> 'project' IS NULL OR memory.project = filter ->> 'project')
    AND (filter ->> 'session_id' IS NULL OR memory.session_id = filter ->> 'session_id')
    AND (filter -> 'memory_types' IS NULL OR filter -> 'memory_types' ? memory.memory_type)
    AND (filter -> 'tags_any' IS NULL OR filter -> 'tags_any' ?| memory.tags)
    AND (filter -> 'tags_all' IS NULL OR to_jsonb(memory.tags) @> (filter -> 'tags_all'))
    AND (filter ->> 'since' IS NULL OR memory.created_at >= (filter ->> 'since')::timestamptz)
    AND (filter ->> 'until' IS NULL OR memory.created_at < (filter ->> 'until')::timestamptz)
    AND (filter ->> 'min_importance' IS NULL OR memory.importance >= (filter ->> 'min_importance')::double precision)
    AND (filter -> 'metadata' IS NULL OR memory.metadata @> (filter -> 'metadata'));

-- The user's best memories for any of the words. Row-level security keeps @@ away from the index, as it keeps every
-- operator that might leak; so this runs as the owner, and confines itself to the user of the transaction.
CREATE FUNCTION keyword_matches(words tsquery, filter jsonb, number integer) RETURNS TABLE (id uuid)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 50
BEGIN ATOMIC
    SELECT memories.id FROM memories
    WHERE user_id = (SELECT current_setting('app.user_id', true)) AND matches(memories, filter) AND keywords @@ words
    ORDER BY ts_rank(keywords, words) DESC, created_at DESC, memories.id DESC
    LIMIT number;
END;

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
    PRIMARY KEY (user_id, id, version)
);

-- Everybody who has or had memories: each id is looked up behind the one before, not read once a row.
CREATE FUNCTION user_ids() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER
BEGIN ATOMIC
    WITH RECURSIVE
        owner (user_id) AS (
            SELECT min(user_id) FROM memories
            UNION ALL
            SELECT (SELECT min(user_id) FROM memories WHERE user_id > owner.user_id) FROM owner WHERE user_id IS NOT NULL
        ),
        past (user_id) AS (
            SELECT min(user_id) FROM memory_versions
            UNION ALL
            SELECT (SELECT min(user_id) FROM memory_versions WHERE user_id > past.user_id)
            FROM past WHERE user_id IS NOT NULL
        )
    SELECT user_id FROM owner WHERE user_id IS NOT NULL UNION SELECT user_id FROM past WHERE user_id IS NOT NULL;
END;

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

-- What became of each load of a plugin's, so that it is loaded once.
CREATE TABLE loads (
    user_id text NOT NULL CHECK (user_id <> ''),
    plugin_id text NOT NULL,
    key text NOT NULL,
    outcome jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, plugin_id, key)
);

-- A transaction that has not set app.user_id sees NULL or '' there, which is nobody. The setting is read once a
-- statement (SELECT), not once a row.
ALTER TABLE memories ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE memory_versions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE loads ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY own_rows ON memories TO memory_app, memory_bulk
    USING (user_id = (SELECT current_setting('app.user_id', true)));
CREATE POLICY own_rows ON memory_versions TO memory_app, memory_bulk
    USING (user_id = (SELECT current_setting('app.user_id', true)));
CREATE POLICY own_rows ON outbox TO memory_app, memory_bulk
    USING (user_id = (SELECT current_setting('app.user_id', true)));
CREATE POLICY own_rows ON idempotency_keys TO memory_app USING (user_id = (SELECT current_setting('app.user_id', true)));
CREATE POLICY own_rows ON loads TO memory_bulk USING (user_id = (SELECT current_setting('app.user_id', true)));
-- For keyword_matches and user_ids, which the owner runs; nobody logs in as the owner.
CREATE POLICY searched_rows ON memories FOR SELECT TO memory_owner USING (true);
CREATE POLICY counted_rows ON memory_versions FOR SELECT TO memory_owner USING (true);
CREATE POLICY all_rows ON outbox TO memory_relay USING (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON memories, idempotency_keys TO memory_app;
GRANT SELECT, INSERT ON memory_versions TO memory_app;
GRANT SELECT, INSERT, UPDATE (published_at) ON outbox TO memory_app;
GRANT SELECT, UPDATE (published_at), DELETE ON outbox TO memory_relay;
GRANT SELECT, INSERT, UPDATE, DELETE ON memories, memory_versions TO memory_bulk;
GRANT SELECT, INSERT, UPDATE (outcome) ON loads TO memory_bulk;
GRANT INSERT ON outbox TO memory_bulk;
REVOKE ALL ON FUNCTION matches, keyword_matches, user_ids, make_search_indexes, drop_search_indexes FROM PUBLIC;
GRANT EXECUTE ON FUNCTION matches, keyword_matches, user_ids TO memory_app;
GRANT EXECUTE ON FUNCTION matches, make_search_indexes, drop_search_indexes TO memory_bulk;
