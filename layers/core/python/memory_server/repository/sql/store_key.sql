UPDATE idempotency_keys SET fingerprint = %(fingerprint)s, memory_ids = %(memory_ids)s, created = %(created)s
WHERE key = %(key)s
