"""Memories as tools show them: as much of each as the caller's budget holds, and what was cut is said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal, TypeAlias

from pydantic import Field

from memory_api.mcp.budget import LONGEST_PIECE, longest_prefix, tokens
from memory_api.schemas.memories import MemoryOut
from plugin_kit.json_types import dumps
from plugin_kit.models import Memory

# One memory of many gets no more than this part of the budget, so that a long one does not hide the others.
_SHARES: Final = 4
Cut: TypeAlias = Literal["content", "metadata", "tags", "session_id", "project"]


class MemoryView(MemoryOut):
    """A memory, or what fits of it."""

    cut: list[Cut] = Field([], description="Fields that are shown in part or not at all; get_memory has them.")

    @classmethod
    def of(cls, memory: Memory) -> MemoryView:
        """Return the whole of ``memory``."""
        return cls.model_validate(memory)

    def text(self) -> str:
        """Return the memory as a model reads it: a line about it, then its content."""
        about = [f"[{self.id}] {self.memory_type}"]
        about += [f"project {self.project}"] if self.project is not None else []
        about += [f"session {self.session_id}"] if self.session_id is not None else []
        about += [f"tags {', '.join(self.tags)}"] if self.tags else []
        about += [f"importance {self.importance:g}", _time(self.created_at)]
        about += [f"version {self.version}"] if self.version > 1 else []
        about += [f"expires {_time(self.expires_at)}"] if self.expires_at is not None else []
        about += [f"metadata {dumps(self.metadata)}"] if self.metadata else []
        about += [f"cut: {', '.join(self.cut)}"] if self.cut else []
        return f"{' | '.join(about)}\n{self.content}"

    def cost(self) -> int:
        """Return the tokens that the memory takes in an answer, as JSON and as text, which takes no more."""
        return 2 * tokens(self.model_dump_json())


_WITHOUT: Final[dict[Cut, object]] = {"metadata": {}, "tags": [], "session_id": None, "project": None}


def fitting(memories: Sequence[Memory], room: int, *, extra: int = 0) -> list[MemoryView]:
    """Return the first of ``memories``, as many as ``room`` tokens hold and one at least; each costs ``extra`` more.

    A long one is cut to its share, so that the others are seen as well.
    """
    share = room // max(1, min(len(memories), _SHARES))
    views: list[MemoryView] = []
    for memory in memories:
        view = cut_to(MemoryView.of(memory), share - extra)
        room -= view.cost() + extra
        if room < 0 and views:
            break
        views.append(view)
    return views


def cut_to(view: MemoryView, room: int) -> MemoryView:
    """Return ``view``, or what of it costs at most ``room`` tokens: of the content at least what the rest leaves."""
    if len(view.content) <= room * LONGEST_PIECE and view.cost() <= room:
        return view
    cut: list[Cut] = ["content"]
    bare = view.model_copy(update={"content": "", "cut": cut})
    for field, nothing in _WITHOUT.items():
        if bare.cost() <= room // 2:
            break
        if getattr(bare, field) != nothing:
            cut.append(field)
            bare = bare.model_copy(update={field: nothing, "cut": list(cut)})
    content = longest_prefix(view.content, _content_cost, room - bare.cost())
    if content == view.content:
        return bare.model_copy(update={"content": content, "cut": [field for field in cut if field != "content"]})
    return bare.model_copy(update={"content": content})


def _content_cost(content: str) -> int:
    return 2 * tokens(dumps(content))


def _time(time: datetime) -> str:
    return time.isoformat(timespec="seconds").replace("+00:00", "Z")
