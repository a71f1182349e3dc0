"""What plugin code does to its process harms its own record at most: the host goes on."""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path

import pytest

from plugin_kit.output import LIMIT
from tests.integration.plugin_host.stack import Stack, act, cold_start, created

VANDAL = """
import logging
import logging.config
import os
import signal
import sys

def vandalize():
    for name in list(os.environ):
        if name != "PATH":
            del os.environ[name]
    os.environ["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    os.environ["PLUGINS_TABLE"] = "elsewhere"
    os.environ["POWERTOOLS_IDEMPOTENCY_DISABLED"] = "true"
    sys.path[:] = ["/nowhere"]
    for name in ("json", "boto3", "botocore.exceptions", "plugin_kit.gateway"):
        sys.modules[name] = None
    os.chdir("/")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    logging.disable(logging.CRITICAL)
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": True})
    logging.getLogger("my_plugin").handlers.clear()
    sys.stdout = sys.stderr = None
"""
AT_IMPORT = f"{VANDAL}\nvandalize()\n\nasync def memory_created(memory, context):\n    say(memory.content)\n"
IN_THE_HOOK = f"{VANDAL}\n\nasync def memory_created(memory, context):\n    say(memory.content)\n    vandalize()\n"


@pytest.mark.parametrize("source", [AT_IMPORT, IN_THE_HOOK])
def test_a_plugin_that_changes_its_process_changes_nothing_for_the_host(
    stack: Stack, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.plugin(source)
    handler = cold_start()

    def state() -> tuple[object, ...]:
        handlers = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
        modules = [sys.modules.get(name) for name in ("json", "boto3", "plugin_kit.gateway")]
        loggers = [logging.root.manager.disable, logging.getLogger("botocore.hooks").disabled]
        return dict(os.environ), list(sys.path), Path.cwd(), handlers, modules, loggers

    act(handler, "an unknown one")  # makes the host, and imports nothing of the plugin's
    before = state()
    for number in (1, 2):
        stack.send(created("hello", number), created("hello", number))
        assert stack.poll(handler) == []
    assert stack.said == ["hello", "hello"]
    assert stack.statistics["delivered"] == "2"
    assert capsys.readouterr().out.count('"delivered"') == 2
    assert state() == before


def test_a_plugin_keeps_its_own_changes_for_itself(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "vendored").mkdir()
    (tmp_path / "vendored" / "brought_along.py").write_text("NAME = 'brought along'")
    stack.plugin("""
        import os
        import sys

        os.environ["MODEL_HOME"] = "/models"
        sys.path.append(str(Path(__file__).parent / "vendored"))

        async def memory_created(memory, context):
            import brought_along
            say(f"{os.environ['MODEL_HOME']} {brought_along.NAME}")
        """)
    stack.send(created("hello"))
    stack.poll(cold_start())
    assert stack.said == ["/models brought along"]
    assert "MODEL_HOME" not in os.environ
    assert str(tmp_path / "vendored") not in sys.path


@pytest.mark.parametrize("write", ["print(line)", "context['logger'].warning(line)", "root.error(line)"])
def test_a_flood_is_cut_and_said_to_be(stack: Stack, capsys: pytest.CaptureFixture[str], write: str) -> None:
    stack.plugin(f"""
        import logging
        import sys

        root = logging.getLogger("a_library")
        root.addHandler(logging.NullHandler())
        line = "flood " * 100

        async def memory_created(memory, context):
            for _ in range(2000):
                {write}
            say(memory.content)
        """)
    handler = cold_start()
    output = logging.StreamHandler(sys.stdout)
    logging.root.addHandler(output)
    try:
        for number in (1, 2):
            stack.send(created("hello", number))
            assert stack.poll(handler) == []
            written = capsys.readouterr().out
            assert 0 < written.count("flood ") * len("flood ") <= LIMIT
            assert written.count("the plugin wrote more than 256 KB at once: the rest is cut") in (
                1,
                2,
            )  # by the root too
    finally:
        logging.root.removeHandler(output)
    assert stack.said == ["hello", "hello"]


@pytest.mark.parametrize(
    "end", ["sys.exit(3)", "os._exit(3)", "os.abort()", "raise KeyboardInterrupt", "raise SystemExit"]
)
def test_a_plugin_that_ends_the_process_while_it_is_imported_is_refused(stack: Stack, end: str) -> None:
    stack.plugin(f"import os, sys\n{end}")
    stack.send(created("hello"))
    assert stack.poll(cold_start()) == [0]
    assert "plugin.py cannot be imported: " in stack.statistics["last_error"]


def test_a_hook_that_blocks_its_thread_fails_before_the_time_is_up(stack: Stack) -> None:
    stack.plugin("""
        import time

        async def memory_created(memory, context):
            if memory.content == "hangs":
                try:
                    time.sleep(30)
                except Exception:
                    say("caught")
            say(memory.content)
        """)
    stack.send(created("hangs", 1))
    handler = cold_start()
    assert stack.poll(handler, seconds_left=1.5) == [0]
    assert stack.statistics["last_error"] == "TimeoutError: it took longer than the 0.5 s that were left"
    stack.send(created("hello", 2))
    assert stack.poll(handler) == []
    assert stack.said == ["hello"]


def test_an_import_that_does_not_end_is_refused_before_the_time_is_up(stack: Stack) -> None:
    stack.plugin("import time\ntime.sleep(30)")
    stack.send(created("hello"))
    assert stack.poll(cold_start(), seconds_left=1.5) == [0]
    assert "plugin.py cannot be imported: OutOfTime: it took too long" in stack.statistics["last_error"]


@pytest.mark.parametrize(
    "mischief",
    [
        "asyncio.get_running_loop().stop(); await asyncio.sleep(1)",
        "asyncio.get_running_loop().create_task(exit_soon()); await asyncio.sleep(1)",
        "asyncio.current_task().cancel(); await asyncio.sleep(1)",
    ],
)
def test_a_hook_that_meddles_with_its_event_loop_fails_its_own_record_only(stack: Stack, mischief: str) -> None:
    stack.plugin(f"""
        import asyncio

        async def exit_soon():
            raise SystemExit(3)

        async def memory_created(memory, context):
            if memory.content == "bad":
                {mischief}
            say(memory.content)
        """)
    stack.send(created("bad", 1), created("good", 2))
    assert stack.poll(cold_start()) == [0]
    assert stack.said == ["good"]
    assert stack.statistics["failed"] == "1"


def test_a_thread_that_a_hook_leaves_behind_holds_nothing_up(stack: Stack) -> None:
    stack.plugin("""
        import threading

        go_on = threading.Event()

        async def memory_created(memory, context):
            threading.Thread(target=go_on.wait, daemon=True).start()
            say(memory.content)
        """)
    stack.send(created("one", 1), created("two", 2))
    assert stack.poll(cold_start()) == []
    assert stack.said == ["one", "two"]
