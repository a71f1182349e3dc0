-- Of lines of one content and project, one counts: that of a memory which is there, or else the first.
UPDATE plan SET twin = true FROM (
    SELECT place, row_number() OVER (
        PARTITION BY content_sha256, coalesce(project, '') ORDER BY target IS NULL, id IS DISTINCT FROM target, place
    ) AS number
    FROM plan WHERE deduplicate
) AS numbered
WHERE numbered.place = plan.place AND numbered.number > 1
