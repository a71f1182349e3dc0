-- What each line of a memory meets: the memory of its id that is there.
CREATE TEMPORARY TABLE plan ON COMMIT DROP AS
SELECT
    staged.place, staged.id, staged.content_sha256, staged.project, coalesce(staged.deduplicate, true) AS deduplicate,
    memories.id AS target, false AS twin, NULL::text AS action, NULL::uuid AS new_id
FROM staged LEFT JOIN memories ON memories.id = staged.id AND matches(memories, '{{}}')
WHERE staged.replaced_by IS NULL
