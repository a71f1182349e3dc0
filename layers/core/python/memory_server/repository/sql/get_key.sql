SELECT fingerprint, memory_ids, created FROM idempotency_keys WHERE key = %(key)s
