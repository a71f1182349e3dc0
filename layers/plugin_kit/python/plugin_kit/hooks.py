"""The hook catalogue: each hook's name, its arguments and one sentence. Everything else about hooks derives from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

ArgumentType = Literal["Memory", "list[SearchResult]", "str", "JSON"]


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook as a plugin defines it: ``async def <name>(<arguments...>, context)``.

    A hook of kind ``change`` is written with the change and delivered at least once, whatever crashes. One of kind
    ``observation`` is best effort: reading never waits for it.
    """

    name: str
    arguments: Mapping[str, ArgumentType]
    sentence: str
    kind: Literal["change", "observation"] = "observation"

    @property
    def signature(self) -> str:
        """The line that defines the hook in a plugin, without its colon."""
        return f"async def {self.name}({', '.join([*self.arguments, 'context'])})"


_HOOKS = (
    Hook("memory_created", {"memory": "Memory"}, "A new memory is created.", "change"),
    Hook("memory_updated", {"memory": "Memory"}, "A memory is updated.", "change"),
    Hook("memory_deleted", {"memory_id": "str"}, "A memory is deleted.", "change"),
    Hook("memory_retrieved", {"memory": "Memory"}, "A memory is retrieved by its id."),
    Hook("search_performed", {"query": "str", "results": "list[SearchResult]"}, "A search is performed."),
    Hook("search_failed", {"query": "str", "error": "str"}, "A search fails."),
    Hook("server_started", {}, "The server starts."),
    Hook("server_stopped", {}, "The server stops."),
    Hook("health_check", {}, "The server's health is checked."),
    Hook("cache_hit", {"key": "str", "value": "JSON"}, "A value is found in the cache."),
    Hook("cache_miss", {"key": "str"}, "A value is looked for in the cache and is not there."),
    Hook("cache_updated", {"key": "str", "value": "JSON"}, "A value is put into the cache."),
)

CATALOGUE: Mapping[str, Hook] = MappingProxyType({hook.name: hook for hook in _HOOKS})
