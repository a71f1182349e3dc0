-- How much each user has stored, kept by triggers: so every way in and out counts, in its own transaction.

CREATE TABLE usage (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id text NOT NULL CHECK (user_id <> ''),
    -- Counts nothing: whoever asks whether a quota is kept holds it until the end of the transaction.
    gate boolean NOT NULL DEFAULT false,
    memories bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0,
    history_bytes bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE INDEX usage_of_user ON usage (user_id);
CREATE UNIQUE INDEX usage_gate ON usage (user_id) WHERE gate;

-- What a memory, or a version of one, counts for.
CREATE FUNCTION memory_bytes(content text, tags text[], metadata jsonb) RETURNS bigint LANGUAGE sql STABLE
RETURN octet_length(content) + octet_length(array_to_string(tags, '')) + octet_length(metadata::text);

-- A user's usage is the sum of their rows. A transaction takes one that no other holds, or makes one: writers of one user
-- do not wait for each other, and there are as many rows as there were ever writers at once.
CREATE FUNCTION add_usage(whose text, more_memories bigint, more_bytes bigint, more_history bigint) RETURNS void
LANGUAGE plpgsql SET search_path = public
AS $$
BEGIN
    UPDATE usage SET
        memories = memories + more_memories, bytes = bytes + more_bytes, history_bytes = history_bytes + more_history
    WHERE id = (SELECT id FROM usage WHERE user_id = whose AND NOT gate LIMIT 1 FOR UPDATE SKIP LOCKED);
    IF FOUND THEN
        RETURN;
    END IF;
    -- Nothing is taken from a user who has no row: then all that they have is being erased, and this was before.
    INSERT INTO usage (user_id, memories, bytes, history_bytes)
    SELECT whose, more_memories, more_bytes, more_history
    WHERE more_memories + more_bytes + more_history > 0 OR EXISTS (SELECT FROM usage WHERE user_id = whose);
END;
$$;

CREATE FUNCTION count_memories() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM add_usage(user_id, count(*), sum(memory_bytes(content, tags, metadata))::bigint, 0)
        FROM added GROUP BY user_id;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM add_usage(user_id, -count(*), -sum(memory_bytes(content, tags, metadata))::bigint, 0)
        FROM removed GROUP BY user_id;
    ELSE
        PERFORM add_usage(user_id, 0, sum(size)::bigint, 0)
        FROM (
            SELECT user_id, memory_bytes(content, tags, metadata) AS size FROM added
            UNION ALL
            SELECT user_id, -memory_bytes(content, tags, metadata) FROM removed
        ) AS change
        GROUP BY user_id HAVING sum(size) <> 0;
    END IF;
    RETURN NULL;
END;
$$;

CREATE FUNCTION count_versions() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM add_usage(user_id, 0, 0, sum(memory_bytes(content, tags, metadata))::bigint)
        FROM added GROUP BY user_id;
    ELSE
        PERFORM add_usage(user_id, 0, 0, -sum(memory_bytes(content, tags, metadata))::bigint)
        FROM removed GROUP BY user_id;
    END IF;
    RETURN NULL;
END;
$$;

-- Wait for the user's other writers that have got as far as this one, which end with it, and return what is stored then.
-- Called last in a transaction, so whoever holds the gate waits for nobody.
CREATE FUNCTION settled_usage() RETURNS TABLE (memories bigint, bytes bigint, history_bytes bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public
AS $$
DECLARE
    whose text := current_setting('app.user_id');
BEGIN
    PERFORM FROM usage WHERE user_id = whose AND gate FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO usage (user_id, gate) VALUES (whose, true) ON CONFLICT DO NOTHING;
        PERFORM FROM usage WHERE user_id = whose AND gate FOR UPDATE;
    END IF;
    -- A statement of its own: it sees what those who were waited for have stored.
    RETURN QUERY
        SELECT sum(usage.memories)::bigint, sum(usage.bytes)::bigint, sum(usage.history_bytes)::bigint
        FROM usage WHERE user_id = whose;
END;
$$;

-- Forget the user's oldest versions, as many as hold the given number of bytes.
CREATE FUNCTION forget_history(number bigint) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public
AS $$
    DELETE FROM memory_versions USING (
        SELECT id, version, sum(size) OVER (ORDER BY replaced_at, id, version) - size AS before
        FROM (
            SELECT id, version, replaced_at, memory_bytes(content, tags, metadata) AS size
            FROM memory_versions WHERE user_id = current_setting('app.user_id')
        ) AS sized
    ) AS oldest
    WHERE user_id = current_setting('app.user_id')
        AND (memory_versions.id, memory_versions.version) = (oldest.id, oldest.version) AND oldest.before < number
$$;

ALTER TABLE usage ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON usage FOR SELECT TO memory_app, memory_bulk
    USING (user_id = (SELECT current_setting('app.user_id', true)));
-- For the triggers, which the owner runs. It deletes, as in every table, the rows of one user alone.
CREATE POLICY counted_rows ON usage FOR SELECT TO memory_owner USING (true);
CREATE POLICY new_rows ON usage FOR INSERT TO memory_owner WITH CHECK (true);
CREATE POLICY changed_rows ON usage FOR UPDATE TO memory_owner USING (true);
CREATE POLICY erased_rows ON usage FOR DELETE TO memory_owner
    USING (user_id = (SELECT current_setting('app.user_id', true)));

GRANT SELECT ON usage TO memory_app, memory_bulk;
REVOKE ALL ON FUNCTION
    memory_bytes, add_usage, count_memories, count_versions, settled_usage, forget_history FROM PUBLIC;
GRANT EXECUTE ON FUNCTION memory_bytes, settled_usage, forget_history TO memory_app, memory_bulk;

CREATE TRIGGER count_added AFTER INSERT ON memories REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_memories();
CREATE TRIGGER count_removed AFTER DELETE ON memories REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION count_memories();
CREATE TRIGGER count_changed AFTER UPDATE ON memories REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_memories();
CREATE TRIGGER count_added AFTER INSERT ON memory_versions REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_versions();
CREATE TRIGGER count_removed AFTER DELETE ON memory_versions REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION count_versions();

-- What is there already. The triggers wait for those who write, and let nobody write until this is done.
INSERT INTO usage (user_id, memories, bytes)
SELECT user_id, count(*), sum(memory_bytes(content, tags, metadata)) FROM memories GROUP BY user_id;
INSERT INTO usage (user_id, history_bytes)
SELECT user_id, sum(memory_bytes(content, tags, metadata)) FROM memory_versions GROUP BY user_id;
