INSERT INTO memory_versions ({memory}, replaced_by)
SELECT {memory}, 'update' FROM memories WHERE id = %(id)s
