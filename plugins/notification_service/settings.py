"""Reads the settings of a channel, and names what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from plugin_kit.json_types import JsonObject

from .errors import InvalidSettings

_HOST: Final = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}")
_NOT_IN_URLS: Final = re.compile(r"[\x00-\x20\x7f-\U0010ffff\\]")


@dataclass(frozen=True, slots=True)
class Url:
    """The parts of an http or https URL that a request needs; ``path`` has the query too."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """The URL without its path, which may be a secret."""
        return f"{'https' if self.secure else 'http'}://{self.authority}"


def text(settings: JsonObject, key: str, *, default: str | None = None) -> str:
    """Return the one-line text ``key`` of ``settings``."""
    value = settings.get(key, default)
    if not isinstance(value, str) or not value or re.search(r"[\x00-\x1f\x7f]", value):
        raise InvalidSettings(f"settings.{key}: write a text of one line")
    return value


def texts(settings: JsonObject, key: str) -> list[str]:
    """Return the list of one-line texts ``key`` of ``settings``, at least one and at most 50."""
    value = settings.get(key)
    if isinstance(value, str) or not isinstance(value, Sequence) or not 1 <= len(value) <= 50:
        raise InvalidSettings(f"settings.{key}: write a list of 1 to 50 texts")
    return [text({key: item}, key) for item in value]


def url(settings: JsonObject, key: str = "url") -> Url:
    """Return the http or https URL ``key`` of ``settings``."""
    value = text(settings, key)
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise InvalidSettings(f"settings.{key}: it is no URL") from None
    if "@" in parts.netloc:
        raise InvalidSettings(f"settings.{key}: leave out the user and the password before the @")
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host) or _NOT_IN_URLS.search(value):
        raise InvalidSettings(f"settings.{key}: write a URL such as https://example.org/hook, percent-encoded")
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Url(secure, host, port or (443 if secure else 80), path)


def only(settings: JsonObject, *keys: str) -> None:
    """Raise InvalidSettings where ``settings`` has others than ``keys``."""
    for key in settings:
        if key not in keys:
            raise InvalidSettings(f"settings.{key}: there is no such setting: there are {', '.join(keys)}")
