"""The catalogue is the specification's, word for word."""

from __future__ import annotations

from plugin_kit.hooks import CATALOGUE


def test_the_catalogue_holds_exactly_the_hooks_of_the_specification_with_their_signatures() -> None:
    assert [hook.signature.removeprefix("async def ") for hook in CATALOGUE.values()] == [
        "memory_created(memory, context)",
        "memory_updated(memory, context)",
        "memory_deleted(memory_id, context)",
        "memory_retrieved(memory, context)",
        "search_performed(query, results, context)",
        "search_failed(query, error, context)",
        "server_started(context)",
        "server_stopped(context)",
        "health_check(context)",
        "cache_hit(key, value, context)",
        "cache_miss(key, context)",
        "cache_updated(key, value, context)",
    ]


def test_changes_are_what_happens_to_a_memory_and_all_else_is_observed() -> None:
    changes = [name for name, hook in CATALOGUE.items() if hook.kind == "change"]
    assert changes == ["memory_created", "memory_updated", "memory_deleted"]
