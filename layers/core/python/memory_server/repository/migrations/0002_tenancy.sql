-- A credential may be for one project: then no memory of another exists for it. Where app.project is not set, all of the
-- user's do. Restrictive, so it narrows what own_rows lets through.
CREATE POLICY own_project ON memories AS RESTRICTIVE TO memory_app
    USING (coalesce((SELECT current_setting('app.project', true)), '') IN ('', project));
CREATE POLICY own_project ON memory_versions AS RESTRICTIVE TO memory_app
    USING (coalesce((SELECT current_setting('app.project', true)), '') IN ('', project));

-- Who leaves takes everything along. The server may forget a user whole, and no single version or event of theirs: so
-- the owner does it, in the tables that have rows of users, confined to the user of the transaction.
DO $$
DECLARE
    of_users text;
BEGIN
    FOR of_users IN
        SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'user_id'
    LOOP
        EXECUTE format(
            'CREATE POLICY erased_rows ON %I FOR DELETE TO memory_owner '
            'USING (user_id = (SELECT current_setting(''app.user_id'', true)))',
            of_users
        );
    END LOOP;
END;
$$;

CREATE FUNCTION erase_user() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public
AS $$
DECLARE
    of_users text;
BEGIN
    FOR of_users IN
        SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'user_id'
    LOOP
        EXECUTE format('DELETE FROM %I', of_users);
    END LOOP;
END;
$$;
REVOKE ALL ON FUNCTION erase_user FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_user TO memory_app;
