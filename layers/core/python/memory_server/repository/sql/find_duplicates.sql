-- The oldest living memory for each wanted content and project.
SELECT DISTINCT ON (wanted.number) wanted.number::integer, {memory}
FROM unnest(%(hashes)s::bytea[], %(projects)s::text[]) WITH ORDINALITY AS wanted (hash, in_project, number)
JOIN memories ON content_sha256 = wanted.hash AND coalesce(project, '') = coalesce(wanted.in_project, '')
WHERE matches(memories, '{{}}')
ORDER BY wanted.number, memories.created_at, memories.id
