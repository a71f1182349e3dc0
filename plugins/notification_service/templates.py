"""Templates: texts with {{fields}} of a notice, rendered for each medium with what its syntax needs escaped."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from plugin_kit.json_types import JsonObject

from .errors import InvalidSettings
from .notices import FIELDS, Notice

Medium: TypeAlias = Literal["text", "line", "html", "mrkdwn"]

_PLACEHOLDER: Final = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_TITLE: Final = "{{event}}{{in_project}}"
_BODY: Final = "{{content}}"


def _line(text: str) -> str:
    """Return the text without line ends and other control characters: it goes into a header."""
    return re.sub(r"[\x00-\x1f\x7f\u2028\u2029]+", " ", text)


def _mrkdwn(text: str) -> str:
    """Return the text with Slack's three control characters escaped: it can neither mention nor link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _html(text: str) -> str:
    return html.escape(text).replace("\n", "<br>\n")


_ESCAPES: Final[Mapping[Medium, Callable[[str], str]]] = MappingProxyType(
    {"text": str, "line": _line, "html": _html, "mrkdwn": _mrkdwn}
)


@dataclass(frozen=True, slots=True)
class Template:
    """The title and the body of a rule's messages."""

    title: str = _TITLE
    body: str = _BODY

    @classmethod
    def of(cls, value: JsonObject | None) -> Template:
        """Return the template of a rule, the default for what it leaves out.

        Raises:
            InvalidSettings: it names a field that a notice does not have.
        """
        template = cls(**{key: str(text) for key, text in (value or {}).items()})
        for key, text in (("title", template.title), ("body", template.body)):
            for name in _PLACEHOLDER.findall(text):
                if name not in FIELDS:
                    raise InvalidSettings(f"template.{key}: there is no field {name!r}: there are {', '.join(FIELDS)}")
        return template


def render(text: str, notice: Notice, medium: Medium) -> str:
    """Return ``text``, which is plain, with the notice's fields in it, all escaped for ``medium``."""
    fields, escape = notice.fields(), _ESCAPES[medium]
    parts = _PLACEHOLDER.split(text)  # every second one is a field's name
    return "".join(escape(fields[part] if index % 2 else part) for index, part in enumerate(parts))
