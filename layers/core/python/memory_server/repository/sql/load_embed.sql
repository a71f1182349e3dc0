UPDATE staged SET embedding = new.vector, embedding_model = %(model_id)s
FROM unnest(%(hashes)s::bytea[], %(vectors)s::halfvec[]) AS new (hash, vector)
WHERE staged.content_sha256 = new.hash AND staged.embedding IS NULL AND staged.replaced_by IS NULL
