-- One JSON object a line. Its text has neither the quote nor the delimiter, so CSV changes nothing of it.
COPY (
    SELECT row_to_json(line) FROM (
        SELECT {memory}, deduplicate
        FROM memories WHERE matches(memories, {filter})
    ) AS line
) TO STDOUT (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
