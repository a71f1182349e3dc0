-- What has no such memory meets the oldest one of its content and project; not one that is overwritten by its id.
UPDATE plan SET target = found.id FROM (
    SELECT DISTINCT ON (wanted.place) wanted.place, memories.id
    FROM plan AS wanted
    JOIN memories ON memories.content_sha256 = wanted.content_sha256
        AND coalesce(memories.project, '') = coalesce(wanted.project, '')
    WHERE wanted.target IS NULL AND wanted.deduplicate AND matches(memories, '{{}}')
        AND NOT (%(conflict)s = 'overwrite' AND EXISTS (SELECT FROM plan AS other WHERE other.target = memories.id))
    ORDER BY wanted.place, memories.created_at, memories.id
) AS found
WHERE found.place = plan.place
