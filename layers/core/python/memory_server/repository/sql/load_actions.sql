-- Where a line makes a memory anew although its id is somebody's, or it has none, the memory gets another.
UPDATE plan SET action = chosen.action, new_id = CASE
        WHEN chosen.action <> 'create' THEN plan.target
        WHEN plan.id IS NULL OR plan.id = plan.target THEN uuidv7()
        ELSE plan.id END
FROM (
    SELECT place, CASE
            WHEN %(conflict)s = 'duplicate' OR (target IS NULL AND NOT twin) THEN 'create'
            WHEN %(conflict)s = 'skip' OR target IS NULL OR (twin AND id IS DISTINCT FROM target) THEN 'skip'
            ELSE 'update' END AS action
    FROM plan
) AS chosen
WHERE chosen.place = plan.place
