-- Exports of all that is a user's: asked for by the API, written by the function of bulk transfers, kept for a day.

CREATE TABLE exports (
    user_id text NOT NULL CHECK (user_id <> ''),
    id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    lines bigint NOT NULL DEFAULT 0,
    bytes bigint,
    error text,
    PRIMARY KEY (user_id, id)
);

-- One at a time.
CREATE UNIQUE INDEX exports_running ON exports (user_id) WHERE ended_at IS NULL;

ALTER TABLE exports ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON exports TO memory_app, memory_bulk
    USING (user_id = (SELECT current_setting('app.user_id', true)));
CREATE POLICY erased_rows ON exports FOR DELETE TO memory_owner
    USING (user_id = (SELECT current_setting('app.user_id', true)));
GRANT SELECT, INSERT, DELETE ON exports TO memory_app;
GRANT SELECT, UPDATE (lines, bytes, ended_at, error) ON exports TO memory_bulk;

-- What an export reads beside memories and their history.
CREATE POLICY read_rows ON idempotency_keys FOR SELECT TO memory_bulk
    USING (user_id = (SELECT current_setting('app.user_id', true)));
GRANT SELECT ON outbox, idempotency_keys TO memory_bulk;
