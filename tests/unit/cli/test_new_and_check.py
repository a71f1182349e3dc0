"""``plugin new`` makes a plugin that ``plugin check`` finds no fault with; ``plugin check`` finds the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from memory_cli.main import main
from memory_cli.plugin_commands import plugin as plugin_group


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    assert run("plugin", "new", "my_plugin", "--folder", tmp_path).exit_code == 0
    return tmp_path / "my_plugin"


def test_a_new_plugin_has_its_four_files_under_its_own_name(plugin: Path) -> None:
    assert sorted(file.name for file in plugin.iterdir()) == [
        "README.md",
        "plugin.py",
        "requirements.txt",
        "test_plugin.py",
    ]
    text = "".join(file.read_text() for file in plugin.iterdir())
    assert "My Plugin" in text
    assert "New Plugin" not in text
    assert "new_plugin" not in text


def test_a_new_plugin_has_no_fault(plugin: Path) -> None:
    result = run("plugin", "check", plugin)
    assert (result.exit_code, result.output) == (0, f"{plugin} is a plugin that the server would take.\n")


def test_a_new_plugin_says_what_to_do_next(tmp_path: Path) -> None:
    output = run("plugin", "new", "my_plugin", "--folder", tmp_path).output
    assert f"pytest {tmp_path}/my_plugin" in output
    assert f'name "{tmp_path}/my_plugin" in config/settings.yaml' in output
    assert "memory-server plugin fire memory_created my_plugin" in output


def test_a_new_plugin_among_those_of_the_server_need_not_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    output = run("plugin", "new", "my_plugin").output
    assert "pytest plugins/my_plugin" in output
    assert "To run it on this machine, start the server again: make run" in output


@pytest.mark.parametrize(
    ("name", "fault", "proposal"),
    [
        ("My-Plugin", "is not a name", "my_plugin"),
        ("9lives", "is not a name", "lives"),
        ("status", "is reserved", "status_plugin"),
        ("x" * 41, "is not a name", "x" * 40),
    ],
)
def test_a_name_that_no_plugin_may_have_is_refused_and_another_proposed(
    tmp_path: Path, name: str, fault: str, proposal: str
) -> None:
    result = run("plugin", "new", name, "--folder", tmp_path)
    assert result.exit_code == 1
    assert fault in result.output
    assert f"memory-server plugin new {proposal}\n" in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_taken_is_refused_and_what_is_there_stays(plugin: Path) -> None:
    (plugin / "plugin.py").write_text("mine")
    result = run("plugin", "new", "my_plugin", "--folder", plugin.parent)
    assert result.exit_code == 1
    assert "is there already: choose another name" in result.output
    assert (plugin / "plugin.py").read_text() == "mine"


def test_every_fault_is_told_at_once(plugin: Path) -> None:
    code = (plugin / "plugin.py").read_text()
    (plugin / "plugin.py").write_text(code.replace('"memory_created"', '"memory_creatd"').replace("0.1.0", "new"))
    (plugin / "requirements.txt").write_text("requests==2.31.0  # fine\nrich\n-r others.txt\nhttpx>=0.28\nclick==8.*\n")
    (plugin / "README.md").unlink()
    result = run("plugin", "check", plugin)
    assert result.exit_code == 1
    for fault in (
        "PLUGIN_INFO['version'] is 'new'",
        "did you mean 'memory_created'?",
        "requirements.txt, line 2, is 'rich': pin one version",
        "requirements.txt, line 3, is '-r others.txt'",
        "requirements.txt, line 4, is 'httpx>=0.28'",
        "requirements.txt, line 5, is 'click==8.*'",
        "there is no README.md",
    ):
        assert fault in result.output
    assert "requests" not in result.output.replace("as in requests==2.31.0", "")


def test_a_module_that_hides_one_of_python_is_a_fault(plugin: Path) -> None:
    (plugin / "email").mkdir()
    (plugin / "email" / "__init__.py").touch()
    (plugin / "rules.py").touch()
    (plugin / "queue.py").touch()
    faults = json.loads(run("plugin", "check", plugin, "--json").stdout)["faults"]
    assert faults == [
        "email would hide the module 'email' from all that imports it: give it another name",
        "queue.py would hide the module 'queue' from all that imports it: give it another name",
    ]


def test_faults_can_be_had_as_json(plugin: Path) -> None:
    (plugin / "requirements.txt").unlink()
    result = run("plugin", "check", plugin, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "plugin": "my_plugin",
        "faults": ["there is no requirements.txt: make one, empty where the plugin requires nothing"],
    }


def test_what_is_not_installed_here_is_told_apart_from_what_is_not_required(plugin: Path) -> None:
    (plugin / "plugin.py").write_text("import not_there_at_all\n")
    result = run("plugin", "check", plugin)
    assert "add the package that brings 'not_there_at_all' to requirements.txt" in result.output
    assert f"pip install -r {plugin}/requirements.txt" in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["plugin", "check", "nowhere"],
        ["plugin", "fire", "memory_creatd"],
        ["plugin", "fire", "memory_created", "--args", "{"],
        ["plugin", "new"],
        ["plugin", "deliveries", "p", "--result", "lost"],
        ["plug"],
    ],
)
def test_a_wrong_call_exits_with_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_every_command_shows_an_example() -> None:
    for name in plugin_group.commands:
        result = run("plugin", name, "--help")
        assert result.exit_code == 0
        assert f"Example: memory-server plugin {name}" in result.output
