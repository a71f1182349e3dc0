"""config/settings.yaml says which plugins there are, and what is wrong with it is told by its key."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local.errors import CannotRun
from infra.local.settings import LimitSettings, PluginSettings, Settings, load

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with two plugins."""
    for name in ("first", "second"):
        plugin(tmp_path / "plugins" / name)
    return tmp_path / "plugins"


def plugin(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "plugin.py").touch()
    return folder


def settings(folder: Path, text: str) -> PluginSettings:
    file = folder / "settings.yaml"
    file.write_text(text)
    return load(file).plugins


def test_the_settings_of_the_repository_are_the_defaults() -> None:
    assert load(REPOSITORY / "config" / "settings.yaml") == Settings()


def test_limits_are_parameters_of_the_template(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("limits: {memories_a_user: 1000, bytes_a_user: 0}")
    limits = load(file).limits
    assert limits == LimitSettings(memories_a_user=1000)
    assert limits.parameters == {"RequestsAMinute": "0", "MemoriesAUser": "1000", "BytesAUser": "0"}


def test_every_folder_with_a_plugin_is_deployed(home: Path, tmp_path: Path) -> None:
    (home / "no_plugin").mkdir()
    assert settings(tmp_path, "").folders(home) == {"first": home / "first", "second": home / "second"}


def test_without_auto_load_only_the_listed_ones_are_deployed(home: Path, tmp_path: Path) -> None:
    chosen = settings(tmp_path, "plugins: {auto_load: false, plugins: [second]}")
    assert chosen.folders(home) == {"second": home / "second"}
    assert chosen.names == ("second",)


def test_a_path_names_a_folder_from_that_of_the_settings(home: Path, tmp_path: Path) -> None:
    outside = plugin(tmp_path / "elsewhere" / "third")
    chosen = settings(tmp_path, "plugins: {auto_load: false, plugins: [first, ./elsewhere/third]}")
    assert chosen.folders(home) == {"first": home / "first", "third": outside}
    assert chosen.names == ("first", "third")


def test_no_plugin_is_deployed_where_plugins_are_off(home: Path, tmp_path: Path) -> None:
    assert settings(tmp_path, "plugins: {enabled: false, plugins: [first]}").folders(home) == {}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("plugins: {enable: true}", "plugins has the unknown key 'enable': did you mean 'enabled'?"),
        ("plugin: {}", "the file has the unknown key 'plugin': did you mean 'plugins'?"),
        ("plugins: [first]", "plugins is ['first']: write keys and values"),
        ("plugins: {auto_load: perhaps}", "plugins.auto_load is 'perhaps': write true or false"),
        ("plugins: {timeout_seconds: 0}", "plugins.timeout_seconds is 0: write a whole number above 0"),
        ("plugins: {memory_megabytes: true}", "plugins.memory_megabytes is True: write a whole number above 0"),
        ("plugins: {plugins: first}", "plugins.plugins is 'first': write a list of ids and paths"),
        ("plugins: {plugins: [7]}", "plugins.plugins[0] is 7: write an id"),
        ("plugins: {plugins: [first, ./My-Plugin]}", "plugins.plugins[1] is './My-Plugin': write an id"),
        ("limits: {memories: 5}", "limits has the unknown key 'memories': did you mean 'memories_a_user'?"),
        ("limits: {bytes_a_user: -1}", "limits.bytes_a_user is -1: write a whole number, 0 for no limit"),
        ("limits: {requests_a_minute: many}", "limits.requests_a_minute is 'many': write a whole number"),
        ("plugins: {", "is not YAML"),
    ],
)
def test_what_is_wrong_is_told_by_its_key(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(CannotRun) as refused:
        settings(tmp_path, text)
    assert fault in str(refused.value)
    assert str(tmp_path / "settings.yaml") in str(refused.value)


def test_settings_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"missing\.yaml cannot be read: No such file"):
        load(tmp_path / "missing.yaml")


@pytest.mark.parametrize(
    ("listed", "fault"),
    [
        ("frist", "names 'frist', which is not in .*: did you mean 'first'"),
        ("./nothing", "there is no plugin.py in it"),
        ("./elsewhere/second", "has the id 'second' too"),
    ],
)
def test_a_plugin_that_cannot_be_found_is_named(home: Path, tmp_path: Path, listed: str, fault: str) -> None:
    plugin(tmp_path / "elsewhere" / "second")
    with pytest.raises(CannotRun, match=fault):
        settings(tmp_path, f"plugins: {{plugins: [{listed}]}}").folders(home)
