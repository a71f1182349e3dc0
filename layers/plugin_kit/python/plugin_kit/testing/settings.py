"""What a settings.yaml says of plugins, for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from plugin_kit.errors import PluginError


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginSettings:
    """Whether there are plugins at all, whether they are loaded at the start, and which: names, or paths of folders."""

    enabled: bool
    auto_load: bool
    plugins: Sequence[str]

    @classmethod
    def of(cls, settings: object) -> PluginSettings:
        """Return what ``settings`` says: a mapping, an object with such attributes, or the path of a YAML file.

        Raises:
            PluginError: it says something else than it may; the message names the key.
        """
        content = _read(settings) if isinstance(settings, (str, Path)) else settings
        plugins = _member(content, "plugins")
        return cls(
            enabled=_flag(plugins, "enabled"), auto_load=_flag(plugins, "auto_load"), plugins=_names(plugins, "plugins")
        )


def _read(path: str | Path) -> object:
    import yaml  # PyYAML is not in the kit's layer: a test that gives a mapping needs none

    return cast(object, yaml.safe_load(Path(path).read_text()))


def _member(value: object, name: str) -> object:
    if isinstance(value, Mapping):
        return cast("Mapping[str, object]", value).get(name)
    return getattr(value, name, None)


def _flag(plugins: object, name: str) -> bool:
    value = _member(plugins, name)
    if value is None or isinstance(value, bool):
        return value is not False
    raise PluginError(f"settings: plugins.{name} is {value!r}: write true or false")


def _names(plugins: object, name: str) -> list[str]:
    value = _member(plugins, name)
    items = cast("Sequence[object]", value if isinstance(value, (list, tuple)) else [value])
    names = [item for item in items if isinstance(item, str)]
    if value is not None and len(names) != len(items):
        raise PluginError(f"settings: plugins.{name} is {value!r}: write a list of names")
    return names
