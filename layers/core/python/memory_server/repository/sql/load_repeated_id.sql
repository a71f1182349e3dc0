-- The first line that has the id of a line before it.
SELECT part, line, id FROM (
    SELECT part, line, id, place, row_number() OVER (PARTITION BY id ORDER BY place) AS number
    FROM staged WHERE id IS NOT NULL AND replaced_by IS NULL
) AS numbered
WHERE number > 1 ORDER BY place LIMIT 1
