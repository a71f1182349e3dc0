"""Answers as a person reads them: tables, or the JSON as it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from plugin_kit.json_types import JsonObject, JsonValue

_NOTHING: Final = "-"


def print_json(value: JsonValue) -> None:
    """Print ``value`` as JSON, indented."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_rows(columns: Sequence[str], rows: Iterable[JsonObject]) -> None:
    """Print a table with one line a row; a column is a key of the rows, dotted where it lies deeper."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.rpartition(".")[2].replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(escape(_text(_at(row, column))) for column in columns))
    _console().print(table)


def print_object(value: JsonObject) -> None:
    """Print one line a member of ``value``, of the objects in it too."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, member in _flat(value):
        table.add_row(escape(name.replace("_", " ")), escape(_text(member)))
    _console().print(table)


@contextmanager
def waiting(what: str) -> Generator[Callable[[str], None]]:
    """Show a person, on standard error, that something goes on; what is called with tells what."""
    console = Console(stderr=True, highlight=False)
    with console.status(escape(what)) as status:
        yield lambda text: status.update(escape(text))


def _console() -> Console:
    """Return a console on standard output as it is now; a pipe gets whole lines, however long."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=10_000)


def _at(row: JsonObject, column: str) -> JsonValue:
    value: JsonValue = row
    for key in column.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _flat(value: JsonObject, prefix: str = "") -> Iterator[tuple[str, JsonValue]]:
    for key, member in value.items():
        if isinstance(member, Mapping) and member:
            yield from _flat(member, f"{prefix}{key} ")
        else:
            yield f"{prefix}{key}", member


def _text(value: JsonValue) -> str:
    match value:
        case None | [] | "":
            return _NOTHING
        case bool():
            return "yes" if value else "no"
        case str() | int() | float():
            return str(value)
        case [*items] if all(isinstance(item, str) for item in items):
            return ", ".join(map(str, items))
        case _:
            return json.dumps(value, ensure_ascii=False)
