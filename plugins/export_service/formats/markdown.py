"""A memory as a Markdown file: its fields as YAML front matter, its content as the text.

Each value of the front matter that is written here is JSON on one line, which is YAML too. What is read may be any YAML
of plain values: people and programs edit such files.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Final, cast

import yaml
from msgspec import Raw
from msgspec.structs import astuple

from plugin_kit.json_types import JsonObject, JsonValue

from .faults import FormatError
from .json_text import NotJson, loads
from .lines import EmbeddedLine, Line, text_of
from .record import FIELDS

_FRONT: Final = re.compile(r"---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
# What may stand in JSON as it is, and in YAML only escaped.
_UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_TEMPLATES: Final[Mapping[type[Line], bytes]] = {
    kind: "".join(f"{name}: %b\n" for name in kind.__struct_fields__ if name != "content").encode()
    for kind in (Line, EmbeddedLine)
}
_WORD: Final = re.compile("[a-z0-9]+")
_MAX_SLUG: Final = 60


def document(line: Line) -> bytes:
    """Return the file of a memory."""
    template, (identifier, _, *others) = _TEMPLATES[type(line)], astuple(line)
    front = template % (identifier, *others)
    if not front.isascii() or b"\x7f" in front:
        front = _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", front.decode()).encode()
    return b"---\n%b---\n\n%b\n" % (front, (text_of(line.content) or "").encode())


def path(line: Line) -> str:
    """Return where the file of a memory stands: in its project's folder, by its first words and its id."""
    return f"{_folder(bytes(line.project))}/{_slug(text_of(line.content) or '')}-{text_of(line.id)}.md"


def record_of(text: str, file: str) -> JsonObject:
    """Return the memory that ``text``, the file of the name ``file``, holds; without front matter it is all content.

    Raises:
        FormatError: the front matter is not YAML of plain values.
    """
    found = _FRONT.match(text)
    if found is None:
        return {"content": text.removesuffix("\n")}
    body = text[found.end() :].removeprefix("\n").removesuffix("\n")
    return {**_front(found[1], file), "content": body}


def _front(text: str, file: str) -> JsonObject:
    """Return the fields of a front matter: line by line where each is JSON, as it is written here, else as YAML."""
    fields: dict[str, JsonValue] = {}
    try:
        for line in text.split("\n")[:-1]:
            name, colon, value = line.partition(": ")
            if not colon or name not in FIELDS:
                return _any_yaml(text, file)
            fields[name] = loads(value)
    except NotJson:
        return _any_yaml(text, file)
    return fields


def _any_yaml(text: str, file: str) -> JsonObject:
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise FormatError("has an alias (*) in its front matter: write the value out", file=file)
        value = cast(object, yaml.load(text, _loader()))  # noqa: S506  # it makes plain values alone
    except yaml.MarkedYAMLError as error:
        line = None if error.problem_mark is None else error.problem_mark.line + 2
        raise FormatError(f"its front matter is not YAML: {error.problem}", file=file, line=line) from error
    except (RecursionError, ValueError, yaml.YAMLError) as error:
        raise FormatError(f"its front matter is not YAML that can be read: {error}", file=file) from error
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in cast("dict[object, object]", value)):
        raise FormatError("its front matter must be lines of the form name: value", file=file)
    return cast(JsonObject, value)


@cache
def _loader() -> type[yaml.SafeLoader]:
    """Return what reads YAML with the types of JSON alone: a date stays a text, and so does yes."""

    class PlainLoader(yaml.SafeLoader):
        yaml_implicit_resolvers = {}  # noqa: RUF012  # as PyYAML has it

    for tag, pattern, starts in (
        ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
        ("int", r"-?(?:0|[1-9][0-9]*)", list("-0123456789")),
        ("float", r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", list("-0123456789")),
    ):
        resolver = (f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), starts)
        PlainLoader.add_implicit_resolver(*resolver)  # pyright: ignore[reportUnknownMemberType]
    return PlainLoader


@lru_cache(maxsize=1000)
def _folder(project: bytes) -> str:
    """Return the folder of a project, whose name is JSON."""
    name = text_of(Raw(project))
    return _slug(name) or "project" if name else "no-project"


def _slug(text: str) -> str:
    """Return the letters and digits of the first words of ``text``, in ASCII, with - between the words."""
    begin = text[: 4 * _MAX_SLUG]
    plain = begin if begin.isascii() else unicodedata.normalize("NFKD", begin).encode("ascii", "ignore").decode()
    return "-".join(_WORD.findall(plain.lower()))[:_MAX_SLUG].strip("-")
