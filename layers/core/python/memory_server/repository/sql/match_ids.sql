SELECT id FROM memories
WHERE (%(ids)s::uuid[] IS NULL OR id = ANY (%(ids)s)) AND matches(memories, %(filter)s)
ORDER BY id
