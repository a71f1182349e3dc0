-- The best of each leg, then both scores for the union of the two, fused.
WITH size AS (
    SELECT count(*) AS number
    FROM (SELECT FROM memories WHERE %(mode)s <> 'keyword' AND matches(memories, %(filter)s) LIMIT %(exact)s + 1) AS few
),
semantic AS (
    -- Few memories are compared one by one (the sum keeps the index away), many through the index.
    (
        SELECT id FROM memories
        WHERE (SELECT number FROM size) BETWEEN 1 AND %(exact)s
          AND embedding_model = %(model_id)s AND matches(memories, %(filter)s)
        ORDER BY (embedding <=> %(vector)s::halfvec) + 0
        LIMIT %(leg)s
    )
    UNION ALL
    (
        SELECT id FROM memories
        WHERE (SELECT number FROM size) > %(exact)s
          AND embedding_model = %(model_id)s AND matches(memories, %(filter)s)
        ORDER BY embedding <=> %(vector)s::halfvec
        LIMIT %(leg)s
    )
),
-- Any of the words, each once and without stop words; a lexeme is quoted and holds no space.
query AS (
    SELECT replace(strip(to_tsvector('english', %(text)s))::text, ' ', ' | ')::tsquery AS words
    WHERE %(mode)s <> 'semantic'
),
scored AS (
    SELECT
        {memory},
        CASE WHEN embedding_model = %(model_id)s THEN 1 - (embedding <=> %(vector)s::halfvec) END AS semantic_score,
        ts_rank(keywords, (SELECT words FROM query)) AS keyword_score
    FROM memories
    WHERE id IN (
        SELECT id FROM semantic
        UNION ALL
        SELECT found.id FROM query, keyword_matches(query.words, %(filter)s, %(leg)s) AS found
    )
),
ranked AS (
    SELECT *,
        CASE WHEN semantic_score IS NOT NULL
            THEN row_number() OVER (ORDER BY semantic_score DESC NULLS LAST, created_at DESC, id DESC) END
            AS semantic_rank,
        CASE WHEN keyword_score > 0
            THEN row_number() OVER (ORDER BY keyword_score DESC NULLS LAST, created_at DESC, id DESC) END
            AS keyword_rank,
        min(semantic_score) OVER () AS semantic_min,
        max(semantic_score) OVER () AS semantic_max,
        min(keyword_score) OVER () AS keyword_min,
        max(keyword_score) OVER () AS keyword_max,
        -- Words count by how much of the question the best match has: one common word in it says little.
        %(keyword_weight)s * least(1, max(keyword_score) OVER () / %(keyword_sure)s) ^ 2 AS keyword_weight
    FROM scored
),
fused AS (
    SELECT *,
        CASE
            WHEN %(mode)s = 'keyword' THEN keyword_score / (keyword_score + 1)
            -- Where no word says anything, meaning decides alone.
            WHEN %(mode)s = 'semantic' OR keyword_max = 0 THEN least(greatest(semantic_score, 0), 1)
            ELSE (1 - keyword_weight) * CASE
                    WHEN semantic_score IS NULL THEN 0
                    WHEN semantic_max = semantic_min THEN 1
                    ELSE (semantic_score - semantic_min) / (semantic_max - semantic_min) END
                + keyword_weight * CASE
                    WHEN keyword_max = keyword_min THEN 1
                    ELSE (keyword_score - keyword_min) / (keyword_max - keyword_min) END
        END AS score
    FROM ranked
)
SELECT {memory}, score, semantic_rank, semantic_score, keyword_rank, keyword_score
FROM fused
WHERE score >= %(min_score)s
ORDER BY score DESC, created_at DESC, id DESC
LIMIT %(limit)s
