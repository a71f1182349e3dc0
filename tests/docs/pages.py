"""The Markdown pages of the repository: their links, their headings, and the code that they show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
HOOKS = REPOSITORY / "docs" / "plugins" / "hooks.md"
CONTEXT = REPOSITORY / "docs" / "plugins" / "context.md"
DEPLOYMENT = REPOSITORY / "docs" / "plugins" / "deployment.md"
TESTING = REPOSITORY / "docs" / "plugins" / "testing.md"
PLUGINS = REPOSITORY / "plugins" / "README.md"
PLUGIN_PAGES = (PLUGINS, *sorted((REPOSITORY / "docs" / "plugins").glob("*.md")))
ALL_PAGES = sorted(
    path
    for top in ("", "docs", "plugins", "infra", "layers", "tests", "functions")
    for path in (REPOSITORY.glob("*.md") if not top else (REPOSITORY / top).rglob("*.md"))
)

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# ([\w./]+\.(?:py|yaml))\n")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of code, and the file that its first line says it is."""

    language: str
    text: str

    @property
    def file(self) -> str | None:
        found = _FILE.match(self.text)
        return found[1] if found else None

    @property
    def commands(self) -> Iterator[str]:
        """The commands of a block of bash, each in one line."""
        for line in self.text.replace("\\\n", " ").splitlines():
            if line.strip() and not line.startswith("#"):
                yield re.sub(r"\s+", " ", line.strip())


def blocks(page: Path, *languages: str) -> list[Block]:
    found = [Block(match[1], match[2]) for match in _BLOCK.finditer(page.read_text())]
    return [block for block in found if not languages or block.language in languages]


def prose(page: Path) -> str:
    """Return the text of ``page`` without its blocks of code."""
    return _BLOCK.sub("", page.read_text())


def links(page: Path) -> list[str]:
    return _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """Return the anchors that the headings of ``page`` have, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def section(page: Path, heading: str) -> str:
    """Return what stands below the ``heading``, up to the next one."""
    match = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", page.read_text(), re.MULTILINE | re.DOTALL)
    assert match, f"{page.name} has no heading {heading}"
    return match[1]
