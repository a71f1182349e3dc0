-- When a user was erased, by the SHA-256 of their id: what was caused before that keeps nothing any more. A row stays for
-- longer than any queue keeps a message and any grant holds.
CREATE TABLE erasures (
    user_sha256 bytea PRIMARY KEY,
    erased_at timestamptz NOT NULL
);

-- Whether the user of the transaction was erased since. Where not, an erasure waits until the transaction has ended: it
-- finds what is stored meanwhile, and who asks after it is told.
CREATE FUNCTION erased_since(moment timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended(current_setting('app.user_id'), 3));
    RETURN EXISTS (
        SELECT FROM erasures
        WHERE user_sha256 = sha256(convert_to(current_setting('app.user_id'), 'UTF8')) AND erased_at >= moment
    );
END;
$$;

-- The moment of the erasure comes last, after all who held the lock; the clock of who asks may be ahead of this one.
DROP FUNCTION erase_user();
CREATE FUNCTION erase_user(asked_at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public
AS $$
DECLARE
    of_users text;
    moment timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(current_setting('app.user_id'), 3));
    FOR of_users IN
        SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'user_id'
    LOOP
        EXECUTE format('DELETE FROM %I', of_users);
    END LOOP;
    INSERT INTO erasures VALUES (
        sha256(convert_to(current_setting('app.user_id'), 'UTF8')), greatest(clock_timestamp(), asked_at)
    )
    ON CONFLICT (user_sha256) DO UPDATE SET erased_at = excluded.erased_at
    RETURNING erased_at INTO moment;
    DELETE FROM erasures WHERE erased_at < now() - interval '16 days';
    RETURN moment;
END;
$$;

REVOKE ALL ON FUNCTION erase_user, erased_since FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_user, erased_since TO memory_app;
GRANT EXECUTE ON FUNCTION erased_since TO memory_bulk;
