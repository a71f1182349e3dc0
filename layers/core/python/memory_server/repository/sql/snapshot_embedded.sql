COPY (
    SELECT row_to_json(line) FROM (
        SELECT {memory}, deduplicate, embedding_model,
            translate(encode(halfvec_send(embedding), 'base64'), E'\n', '') AS embedding
        FROM memories WHERE matches(memories, {filter})
    ) AS line
) TO STDOUT (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
