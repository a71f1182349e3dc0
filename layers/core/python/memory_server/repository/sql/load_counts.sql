SELECT
    count(*) FILTER (WHERE action = 'create') AS created,
    count(*) FILTER (WHERE action = 'update') AS updated,
    count(*) FILTER (WHERE action = 'skip') AS skipped,
    count(*) FILTER (WHERE action = 'unchanged') AS unchanged
FROM plan
