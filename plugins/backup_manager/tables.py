"""The tables of the plugin's schema."""

from __future__ import annotations

from typing import Final

# Two environments may start at once, and CREATE ... IF NOT EXISTS alone does not stop them from colliding.
TABLES: Final = """
DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('backup_manager'));
    CREATE TABLE IF NOT EXISTS backups (
        id uuid PRIMARY KEY,
        user_id text NOT NULL,
        project text,
        origin text NOT NULL CHECK (origin IN ('request', 'schedule')),
        cause text NOT NULL,
        state text NOT NULL CHECK (state IN ('reading', 'storing', 'complete', 'failed', 'removing')),
        requested_at timestamptz NOT NULL DEFAULT now(),
        touched_at timestamptz NOT NULL DEFAULT now(),
        tries integer NOT NULL DEFAULT 0,
        error text,
        taken_at timestamptz,
        completed_at timestamptz,
        memories bigint,
        versions bigint,
        models text[],
        key_name text,
        manifests integer NOT NULL DEFAULT 0,
        manifest_name text,
        manifest_sha256 text,
        verified_at timestamptz,
        damage text,
        tested_at timestamptz,
        test jsonb,
        UNIQUE (user_id, cause)
    );
    CREATE INDEX IF NOT EXISTS backups_by_user ON backups (user_id, requested_at DESC);
    CREATE TABLE IF NOT EXISTS parts (
        backup_id uuid NOT NULL REFERENCES backups ON DELETE CASCADE,
        number integer NOT NULL,
        kind text NOT NULL,
        source text NOT NULL,
        rows bigint NOT NULL,
        bytes bigint NOT NULL,
        sha256 text NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        name text,
        stored_bytes bigint,
        stored_sha256 text,
        PRIMARY KEY (backup_id, number)
    );
    CREATE TABLE IF NOT EXISTS runs (
        id uuid PRIMARY KEY,
        backup_id uuid NOT NULL REFERENCES backups ON DELETE CASCADE,
        user_id text NOT NULL,
        cause text NOT NULL,
        purpose text NOT NULL CHECK (purpose IN ('verify', 'restore', 'test')),
        dry_run boolean NOT NULL,
        conflict text NOT NULL CHECK (conflict IN ('skip', 'overwrite')),
        project text,
        state text NOT NULL CHECK (state IN ('checking', 'loading', 'complete', 'failed')),
        position integer NOT NULL DEFAULT 0,
        parts integer NOT NULL,
        requested_at timestamptz NOT NULL DEFAULT now(),
        touched_at timestamptz NOT NULL DEFAULT now(),
        completed_at timestamptz,
        tries integer NOT NULL DEFAULT 0,
        error text,
        result jsonb,
        cleared boolean NOT NULL DEFAULT false,
        UNIQUE (user_id, cause)
    );
    CREATE INDEX IF NOT EXISTS runs_by_backup ON runs (backup_id, requested_at DESC);
END $$
"""
