SELECT {memory} FROM memories WHERE id = %(id)s AND matches(memories, '{{}}')
