"""The tables of the plugin's own schema."""

from __future__ import annotations

# Two environments may start at once, and CREATE ... IF NOT EXISTS alone does not stop them from colliding.
CREATE = """
DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('notification_service'));
    CREATE TABLE IF NOT EXISTS channels (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id text NOT NULL,
        name text NOT NULL,
        kind text NOT NULL,
        target text NOT NULL,
        sealed text NOT NULL,
        throttle_messages integer NOT NULL,
        throttle_seconds integer NOT NULL,
        enabled boolean NOT NULL DEFAULT true,
        disabled_reason text,
        held_until timestamptz NOT NULL DEFAULT '-infinity',
        slow_until timestamptz NOT NULL DEFAULT '-infinity',
        leased_until timestamptz NOT NULL DEFAULT '-infinity',
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (user_id, name)
    );
    CREATE TABLE IF NOT EXISTS rules (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id text NOT NULL,
        channel_id uuid NOT NULL REFERENCES channels ON DELETE CASCADE,
        settings jsonb NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX IF NOT EXISTS rules_of_user ON rules (user_id, created_at);
    CREATE TABLE IF NOT EXISTS notifications (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id text NOT NULL,
        channel_id uuid NOT NULL REFERENCES channels ON DELETE CASCADE,
        rule_id uuid,
        event_id text NOT NULL,
        hook text NOT NULL,
        template jsonb,
        digest boolean NOT NULL,
        notice jsonb,
        message_id uuid,
        state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed')),
        attempts integer NOT NULL DEFAULT 0,
        error text,
        due_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        attempted_at timestamptz,
        UNIQUE (channel_id, event_id)
    );
    CREATE INDEX IF NOT EXISTS notifications_due ON notifications (channel_id, due_at) WHERE state = 'waiting';
    CREATE INDEX IF NOT EXISTS notifications_of_user ON notifications (user_id, created_at);
    CREATE INDEX IF NOT EXISTS notifications_attempted ON notifications (channel_id, attempted_at);
END $$
"""
