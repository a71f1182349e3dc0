"""What config/settings.yaml says: read once, checked, and every fault told with the key that it is at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Final, cast

import yaml

from infra.local.errors import CannotRun

_PLUGIN_ID: Final = re.compile(r"[a-z][a-z0-9_]*")
_EXAMPLES: Final = {"bool": "true or false", "int": "a whole number above 0", "list": "a list of ids and paths"}


class _Fault(Exception):
    """What is wrong, with the key that it is at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginSettings:
    """The section ``plugins``; config/settings.yaml says what each key means.

    ``plugins`` are ids, and folders by their paths.
    """

    enabled: bool = True
    auto_load: bool = True
    plugins: tuple[str | Path, ...] = ()
    keep_data: bool = True
    timeout_seconds: int = 30
    memory_megabytes: int = 256

    @property
    def names(self) -> tuple[str, ...]:
        """The ids of all that are listed."""
        return tuple(entry if isinstance(entry, str) else entry.name for entry in self.plugins)

    def folders(self, home: Path) -> dict[str, Path]:
        """Return the folders of the plugins to deploy by their ids; ``home`` has those that are called by their ids.

        Raises:
            CannotRun: a plugin that is listed is not there, or two have one id.
        """
        if not self.enabled:
            return {}
        there = {file.parent.name: file.parent for file in sorted(home.glob("*/plugin.py"))}
        found = dict(there) if self.auto_load else {}
        for entry in self.plugins:
            name = entry if isinstance(entry, str) else entry.name
            folder = there.get(entry) if isinstance(entry, str) else entry
            if folder is None:
                raise CannotRun(f"plugins.plugins names {name!r}, which is not in {home}: {_nearest(name, there)}")
            if not (folder / "plugin.py").is_file():
                raise CannotRun(f"plugins.plugins names {str(folder)!r}: there is no plugin.py in it")
            if found.get(name, folder) != folder:
                raise CannotRun(f"plugins.plugins names {str(folder)!r}, but {found[name]} has the id {name!r} too")
            found[name] = folder
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """The section ``limits``: what each user may do and have, 0 for any number."""

    requests_a_minute: int = 0
    memories_a_user: int = 0
    bytes_a_user: int = 0

    @property
    def parameters(self) -> Mapping[str, str]:
        """The template's parameters that say the same."""
        return {
            "RequestsAMinute": str(self.requests_a_minute),
            "MemoriesAUser": str(self.memories_a_user),
            "BytesAUser": str(self.bytes_a_user),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole file."""

    plugins: PluginSettings = PluginSettings()
    limits: LimitSettings = LimitSettings()


def load(path: Path) -> Settings:
    """Return the settings of the file at ``path``; what it leaves out has its default.

    Raises:
        CannotRun: there is no such file, or it is wrong; the message names the key.
    """
    try:
        content = cast(object, yaml.safe_load(path.read_text()))
    except OSError as error:
        raise CannotRun(f"the settings {path} cannot be read: {error.strerror}; choose others with SETTINGS=") from None
    except yaml.YAMLError as error:
        raise CannotRun(f"{path} is not YAML: {error}") from None
    try:
        sections = _section("the file", content, ["plugins", "limits"])
        return Settings(
            plugins=_plugins(sections.get("plugins"), path.resolve().parent), limits=_limits(sections.get("limits"))
        )
    except _Fault as error:
        raise CannotRun(f"{path}: {error}") from None


def _plugins(content: object, folder: Path) -> PluginSettings:
    kinds = {field.name: str(field.type).partition("[")[0].replace("tuple", "list") for field in fields(PluginSettings)}
    given = dict(_section("plugins", content, list(kinds)))
    for name, value in given.items():
        if type(value).__name__ != kinds[name] or (type(value) is int and value < 1):
            raise _Fault(f"plugins.{name} is {value!r}: write {_EXAMPLES[kinds[name]]}")
    entries = cast("list[object]", given.pop("plugins", []))
    plugins = tuple(_entry(number, entry, folder) for number, entry in enumerate(entries))
    return PluginSettings(plugins=plugins, **cast("dict[str, bool]", given))


def _limits(content: object) -> LimitSettings:
    given = _section("limits", content, [field.name for field in fields(LimitSettings)])
    for name, value in given.items():
        if type(value) is not int or value < 0:
            raise _Fault(f"limits.{name} is {value!r}: write a whole number, 0 for no limit")
    return LimitSettings(**cast("dict[str, int]", given))


def _entry(number: int, entry: object, folder: Path) -> str | Path:
    """Return an id or the folder of a plugin that has a valid id for its name."""
    path = (folder / Path(str(entry)).expanduser()).resolve() if "/" in str(entry) else None
    name = str(entry) if path is None else path.name
    if not isinstance(entry, str) or not _PLUGIN_ID.fullmatch(name):
        raise _Fault(
            f"plugins.plugins[{number}] is {entry!r}: write an id (small letters, digits and _) or the path of a "
            "folder whose name is one"
        )
    return path or name


def _section(name: str, content: object, known: list[str]) -> Mapping[str, object]:
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise _Fault(f"{name} is {content!r}: write keys and values")
    section = cast("Mapping[str, object]", content)
    for key in section:
        if key not in known:
            raise _Fault(f"{name} has the unknown key {key!r}: {_nearest(str(key), known)}")
    return section


def _nearest(name: str, known: Mapping[str, object] | list[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known) or 'none'}"
