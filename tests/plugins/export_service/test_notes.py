"""Markdown that people and programs have edited is read too."""

from __future__ import annotations

import json
from typing import cast

from plugin_kit.json_types import JsonObject
from tests.plugins.export_service.files import imported
from tests.plugins.export_service.test_refusals import archive


def read(text: str) -> JsonObject:
    (line,) = imported("markdown", archive(note=text))
    return cast(JsonObject, json.loads(line))


def test_front_matter_may_be_any_yaml_of_plain_values() -> None:
    text = """---
project: billing   # the service
tags:
  - database
  - 'a, b'
importance: 0.8
created_at: 2026-01-31T12:00:00Z
metadata:
  since: 2026-01-31
  flag: yes
  big: 1e3
---

Invoices are kept
in PostgreSQL.
"""
    assert read(text) == {
        "project": "billing",
        "tags": ["database", "a, b"],
        "importance": 0.8,
        "created_at": "2026-01-31T12:00:00+00:00",
        "metadata": {"since": "2026-01-31", "flag": "yes", "big": 1000},
        "content": "Invoices are kept\nin PostgreSQL.",
    }


def test_a_note_without_front_matter_is_all_content() -> None:
    assert read("# Tea\n\nAt five.\n") == {"content": "# Tea\n\nAt five."}


def test_line_ends_of_windows_are_understood() -> None:
    assert read("---\r\nimportance: 1\r\n---\r\nTea") == {"importance": 1.0, "content": "Tea"}


def test_what_is_no_note_is_passed_over() -> None:
    assert imported("markdown", archive(**{"__MACOSX/._x": "x", "folder/a": "Tea"})) == [b'{"content":"Tea"}\n']
