"""Links from one page of the repository to another lead somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import ALL_PAGES, REPOSITORY, anchors, links

NAMED_BY_THE_SPECIFICATION = (
    "docs/plugins/hooks.md",
    "docs/plugins/context.md",
    "docs/plugins/errors.md",
    "docs/plugins/development.md",
    "docs/plugins/testing.md",
    "docs/plugins/deployment.md",
    "docs/examples/basic_plugin/",
    "docs/examples/advanced_plugin/",
    "docs/examples/integration_plugin/",
)


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    dead: list[str] = []
    for link in links(page):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("path", NAMED_BY_THE_SPECIFICATION)
def test_every_page_and_example_of_the_specification_is_there_and_linked(path: str) -> None:
    assert (REPOSITORY / path).exists()
    assert f"../{path}" in links(REPOSITORY / "plugins" / "README.md")
