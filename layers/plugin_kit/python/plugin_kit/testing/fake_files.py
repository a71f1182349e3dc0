"""Files in a dict."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from plugin_kit.file_names import key_of


@dataclass(slots=True)
class FakeFileWriter:
    """What was written so far."""

    chunks: list[bytes] = field(default_factory=list[bytes])

    async def write(self, chunk: bytes) -> None:
        self.chunks.append(chunk)


@dataclass(slots=True)
class FakeFiles:
    """The files by name, in ``contents``; a name is refused that the server would refuse."""

    contents: dict[str, bytes] = field(default_factory=dict[str, bytes])

    async def write(self, name: str, data: bytes) -> None:
        self.contents[_checked(name)] = data

    async def read(self, name: str) -> bytes:
        try:
            return self.contents[_checked(name)]
        except KeyError:
            raise FileNotFoundError(f"there is no file {name}") from None

    async def delete(self, name: str) -> None:
        self.contents.pop(_checked(name), None)

    async def size(self, name: str) -> int | None:
        return len(self.contents[name]) if _checked(name) in self.contents else None

    async def link(self, name: str, *, seconds: int = 3600, filename: str | None = None) -> str:
        return f"https://files.example/{_checked(name)}?seconds={seconds}&filename={filename or ''}"

    @asynccontextmanager
    async def writer(self, name: str) -> AsyncGenerator[FakeFileWriter]:
        out = FakeFileWriter()
        _checked(name)
        yield out
        self.contents[name] = b"".join(out.chunks)


def _checked(name: str) -> str:
    key_of("", None, name)
    return name
