-- Texts whose vector is missing, or another model's, and whose memory has not the same text already.
CREATE TEMPORARY TABLE unembedded AS
SELECT row_number() OVER () AS number, place FROM (
    SELECT DISTINCT ON (staged.content_sha256) staged.place
    FROM plan JOIN staged ON staged.place = plan.place LEFT JOIN memories ON memories.id = plan.target
    WHERE plan.action IN ('create', 'update') AND staged.embedding IS NULL
        AND NOT (plan.action = 'update' AND memories.content = staged.content)
    ORDER BY staged.content_sha256
) AS wanting
