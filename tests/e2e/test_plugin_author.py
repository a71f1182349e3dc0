"""What a plugin's author does, as the pages tell it: a new plugin is seen firing, and the pages' commands work."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.docs.pages import PLUGIN_PAGES, REPOSITORY, Block, blocks
from tests.e2e.stack import START_SECONDS, Stack

pytestmark = pytest.mark.timeout(START_SECONDS + 200)

MEMORY_SERVER = str(Path(sys.executable).with_name("memory-server"))
SECONDS = 60
SHOWN = ("daily_digest", "word_count")
"""The plugins that pages show and have commands for, beside my_plugin."""

RUNNABLE: tuple[str, ...] = tuple(
    f"memory-server plugin {name}" for name in ("list", "enable", "disable", "status", "deliveries", "logs", "fire")
)
"""What changes nothing but on the server."""

every_page = pytest.mark.parametrize("page", PLUGIN_PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))


class Author:
    """Someone at a terminal, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = folder / "config" / "settings.yaml"
        self.stack = Stack(folder, settings=self.settings)

    def run(self, *arguments: str) -> str:
        """Return what the command line prints; it must go well."""
        environment = {"MEMORY_SERVER_URL": self.stack.url}
        ran = subprocess.run(
            [MEMORY_SERVER, "plugin", *arguments], cwd=self.folder, env=environment, capture_output=True, text=True
        )  # fmt: skip
        assert ran.returncode == 0, f"{arguments}: {ran.stderr}"
        return ran.stdout

    def curl(self, command: str) -> None:
        """Run a curl of a page; it must be answered with a success."""
        line = command.replace("localhost:8000", f"127.0.0.1:{self.stack.port}").replace("curl", "curl -sSf", 1)
        ran = subprocess.run(["bash", "-c", line], cwd=self.folder, capture_output=True, text=True)
        assert ran.returncode == 0, f"{command}: {ran.stderr}"

    def name(self, *plugins: str) -> None:
        """Name plugins of this folder in the settings."""
        self.settings.parent.mkdir(exist_ok=True)
        self.settings.write_text(json.dumps({"plugins": {"plugins": [f"../plugins/{name}" for name in plugins]}}))

    def replay_is_done(self) -> bool:
        replay = json.loads(self.run("status", "my_plugin", "--json"))["replay"]
        return replay is None or replay["done"]


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Author]:
    """An author whose server runs, with the plugins that the pages show, and not yet with my_plugin."""
    author = Author(tmp_path_factory.mktemp("author"))
    for name in SHOWN:
        folder = author.folder / "plugins" / name
        folder.mkdir(parents=True)
        (folder / "plugin.py").write_text(shown(f"plugins/{name}/plugin.py").text)
        (folder / "requirements.txt").touch()
    author.name(*SHOWN)
    author.stack.start()
    yield author
    author.stack.close()


def shown(file: str) -> Block:
    (block,) = [block for page in PLUGIN_PAGES for block in blocks(page, "python") if block.file == file]
    return block


def until(question: Callable[[], bool], seconds: float = 20) -> None:
    started = time.monotonic()
    while not question():
        assert time.monotonic() - started < seconds, "it does not become true"
        time.sleep(0.1)


def test_a_new_plugin_is_seen_firing_within_a_minute(author: Author) -> None:
    started = time.monotonic()
    author.run("new", "my_plugin")
    author.run("check", "plugins/my_plugin")
    author.name(*SHOWN, "my_plugin")
    author.stack.stop()
    author.stack.start()
    memory = author.stack.http.post("/memories", json={"content": "The first."}).json()

    def logged() -> bool:
        return f"New memory created: {memory['id']}" in author.run("logs", "my_plugin", "--data-dir", "data")

    until(logged, SECONDS)
    assert time.monotonic() - started < SECONDS

    enabled = {plugin["id"] for plugin in json.loads(author.run("list", "--json")) if plugin["enabled"]}
    assert enabled >= {*SHOWN, "my_plugin"}
    (fired,) = json.loads(author.run("fire", "memory_created", "my_plugin", "--json"))
    assert (fired["outcome"], fired["error"]) == ("delivered", None)
    delivered = json.loads(author.run("deliveries", "my_plugin", "--json"))
    assert [(delivery["hook"], delivery["result"]) for delivery in delivered] == [("memory_created", "delivered")]


@every_page
def test_the_commands_of_a_page_work_on_a_server_that_runs(author: Author, page: Path) -> None:
    for block in blocks(page, "bash"):
        author.run("enable", "my_plugin")
        for command in block.commands:
            until(author.replay_is_done)
            if command.startswith("curl"):
                author.curl(command)
            elif command.startswith(RUNNABLE):
                author.run(*command.split()[2:], *(["--data-dir", "data"] if " logs " in command else []))
