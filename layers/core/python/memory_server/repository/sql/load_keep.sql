INSERT INTO memory_versions ({memory}, replaced_by)
SELECT {memory}, 'update' FROM memories WHERE id IN (SELECT target FROM plan WHERE action = 'update')
