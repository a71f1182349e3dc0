-- A memory that comes back as it was when it was deleted was never gone.
DELETE FROM memory_versions USING plan JOIN staged ON staged.place = plan.place
WHERE plan.action = 'create' AND memory_versions.id = plan.new_id
    AND memory_versions.version = staged.version AND memory_versions.replaced_by = 'delete'
    AND memory_versions.content = staged.content
    AND memory_versions.project IS NOT DISTINCT FROM staged.project
    AND memory_versions.session_id IS NOT DISTINCT FROM staged.session_id
    AND memory_versions.memory_type = staged.memory_type
    AND memory_versions.tags = staged.tags
    AND memory_versions.importance = staged.importance
    AND memory_versions.metadata = staged.metadata
    AND NOT EXISTS (
        SELECT FROM memory_versions AS later
        WHERE later.id = memory_versions.id AND later.version > memory_versions.version
    )
