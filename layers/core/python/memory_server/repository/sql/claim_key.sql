-- A key is new again after a day. A transaction that holds the key is waited for.
INSERT INTO idempotency_keys (user_id, key, fingerprint) VALUES (%(user_id)s, %(key)s, %(fingerprint)s)
ON CONFLICT (user_id, key) DO UPDATE
    SET fingerprint = excluded.fingerprint, memory_ids = NULL, created = NULL, created_at = now()
    WHERE idempotency_keys.created_at < now() - interval '24 hours'
RETURNING key
