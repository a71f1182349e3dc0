-- A memory that has expired has the history of a deleted one.
SELECT {memory}, replaced_at, replaced_by FROM memory_versions WHERE id = %(id)s
UNION ALL
SELECT {memory}, expires_at, 'delete' FROM memories WHERE id = %(id)s AND expires_at <= now()
ORDER BY version DESC
