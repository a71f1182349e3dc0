"""What a settings.yaml says of plugins, for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from plugin_kit.errors import PluginError


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginSettings:
    """Whether there are plugins at all, whether those count that no one names, and the names, or paths of folders.

    A path that does not begin with / leads from ``folder``.
    """

    enabled: bool
    auto_load: bool
    plugins: Sequence[str]
    folder: Path = Path()

    @classmethod
    def of(cls, settings: object) -> PluginSettings:
        """Return what ``settings`` says: a mapping, an object with such attributes, or the path of a YAML file.

        Raises:
            PluginError: it says something else than it may; the message names the key.
        """
        file = Path(settings) if isinstance(settings, (str, Path)) else None
        plugins = _member(settings if file is None else _read(file), "plugins")
        return cls(
            enabled=_flag(plugins, "enabled"),
            auto_load=_flag(plugins, "auto_load"),
            plugins=_names(plugins, "plugins"),
            folder=Path() if file is None else file.parent,
        )

    def enabled_folders(self, home: Path) -> list[Path]:
        """Return the folders of the plugins that a new server would have enabled; ``home`` has those without a path.

        They are those that are named; where none is, and ``auto_load`` is on, all of ``home`` are candidates.
        """
        if not self.enabled:
            return []
        if not self.plugins and self.auto_load:
            return sorted(file.parent for file in home.glob("*/plugin.py"))
        return [(self.folder / Path(name).expanduser()) if "/" in name else home / name for name in self.plugins]


def _read(path: Path) -> object:
    import yaml  # PyYAML is not in the kit's layer: a test that gives a mapping needs none

    return cast(object, yaml.safe_load(path.read_text()))


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
