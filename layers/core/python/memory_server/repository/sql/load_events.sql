-- What the server would have written for each, had they come one by one.
INSERT INTO outbox (id, user_id, hook, event)
SELECT event_id, %(user_id)s, hook, jsonb_build_object(
    'version', %(envelope)s::integer, 'id', event_id, 'hook', hook, 'time', now(), 'plugins', '[]'::jsonb,
    'user_id', %(user_id)s::text, 'session_id', memory ->> 'session_id', 'project', memory ->> 'project',
    'metadata', %(metadata)s::jsonb, 'grant', NULL, 'args', jsonb_build_object('memory', memory)
)
FROM (
    SELECT uuidv7() AS event_id,
        CASE plan.action WHEN 'create' THEN 'memory_created' ELSE 'memory_updated' END AS hook,
        to_jsonb(one) AS memory
    FROM plan CROSS JOIN LATERAL (SELECT {memory} FROM memories WHERE memories.id = plan.new_id) AS one
    WHERE plan.action IN ('create', 'update')
) AS happened
