"""The command line tells what a server answers, whatever it answers, and ends as the thing went."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from memory_cli.main import main
from plugin_kit.json_types import JsonValue

PLUGIN = {
    "id": "my_plugin",
    "version": "1.0.0",
    "enabled": True,
    "priority": 100,
    "hooks": ["memory_created"],
    "description": "Logs [bold] things",
}
OFF = {**PLUGIN, "id": "other", "enabled": False}
FIRED = {
    "hook": "memory_created",
    "outcome": "delivered",
    "milliseconds": 12,
    "returned": {"n": 1},
    "logs": ["INFO New memory created: 1"],
    "error": None,
}


class Answers(ThreadingHTTPServer):
    """A server of the test's own: ``answers`` by method and path, ``asked`` what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, tuple[int, str]] = {}
        self.asked: list[tuple[str, str]] = []

    def answer(self, request: str, value: JsonValue, status: int = 200) -> None:
        self.answers[request] = (status, json.dumps(value))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Looks the answer up."""

    def do_GET(self) -> None:
        assert isinstance(self.server, Answers)
        request = f"{self.command} {self.path.partition('?')[0]}"
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.server.asked.append((f"{self.command} {self.path}", body))
        status, text = self.server.answers.get(request, (404, "nothing here"))
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of it."""


@pytest.fixture
def server() -> Iterator[Answers]:
    with Answers() as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def run(server: Answers, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["plugin", *arguments], env={"MEMORY_SERVER_URL": f"{server.url}/"})


def test_plugins_are_shown_as_a_table_as_they_are_written(server: Answers) -> None:
    server.answer("GET /plugins/list", {"plugins": [PLUGIN, OFF]})
    result = run(server, "list")
    assert result.exit_code == 0
    header, *rows = result.output.splitlines()
    assert header.split() == ["id", "version", "enabled", "priority", "hooks", "description"]
    assert [row.split()[:3] for row in rows] == [["my_plugin", "1.0.0", "yes"], ["other", "1.0.0", "no"]]
    assert "Logs [bold] things" in rows[0]


def test_json_is_what_the_server_answered(server: Answers) -> None:
    server.answer("GET /plugins/list", {"plugins": [PLUGIN]})
    assert json.loads(run(server, "list", "--json").output) == [PLUGIN]


def test_a_status_is_shown_member_by_member(server: Answers) -> None:
    status = {"plugin": PLUGIN, "queue": {"waiting": 3, "dead": 0}, "statistics": {"last_error": None}}
    server.answer("GET /plugins/status/my_plugin", status)
    rows = {" ".join(line.split()) for line in run(server, "status", "my_plugin").output.splitlines()}
    assert {"queue waiting 3", "plugin hooks memory_created", "statistics last error -"} <= rows


def test_warnings_of_a_disable_are_told(server: Answers) -> None:
    server.answer("POST /plugins/disable/other", {**OFF, "warnings": ["cleanup: KeyError: 'x'"]})
    result = run(server, "disable", "other")
    assert (result.exit_code, result.stderr) == (0, "Warning: cleanup: KeyError: 'x'\n")


def test_a_problem_is_told_with_its_fields_and_fails(server: Answers) -> None:
    problem = {
        "title": "The request is not valid",
        "status": 422,
        "detail": "the request is not valid",
        "errors": [{"field": "hook", "in": "body", "detail": "the plugin has no such hook"}],
        "error_id": "e-1",
    }
    server.answer("POST /plugins/my_plugin/test", problem, status=422)
    result = run(server, "fire", "memory_created", "my_plugin")
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: the server answered 422: the request is not valid\n"
        "- hook: the plugin has no such hook\n"
        "The server's log tells more under e-1.\n"
    )


def test_what_is_no_memory_server_is_told(server: Answers) -> None:
    server.answer("GET /plugins/list", ["something", "else"])
    assert "is it a memory server?" in run(server, "list").stderr
    assert "the server answered 404: Not Found" in run(server, "status", "my_plugin").stderr


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://", "ftp://127.0.0.1", "nonsense"])
def test_a_server_that_is_not_there_is_told(url: str) -> None:
    result = CliRunner().invoke(main, ["plugin", "list", "--url", url])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: the server at {url} does not answer") or "is not the URL" in result.stderr


def test_a_hook_is_fired_at_the_plugin_that_is_named(server: Answers) -> None:
    server.answer("POST /plugins/other/test", FIRED)
    result = run(server, "fire", "memory_created", "other")
    assert result.exit_code == 0
    assert server.asked == [("POST /plugins/other/test", '{"hook":"memory_created"}')]
    assert "other   memory_created  delivered  12" in result.output
    assert "other: INFO New memory created: 1" in result.output


def test_the_arguments_of_the_sample_can_be_replaced(server: Answers) -> None:
    server.answer("POST /plugins/other/test", FIRED)
    assert run(server, "fire", "memory_deleted", "other", "--args", '{"memory_id": "7"}').exit_code == 0
    assert server.asked == [("POST /plugins/other/test", '{"hook":"memory_deleted","args":{"memory_id":"7"}}')]


def test_without_a_name_every_enabled_plugin_that_has_the_hook_gets_it(server: Answers) -> None:
    server.answer("GET /plugins/list", {"plugins": [PLUGIN, OFF, {**PLUGIN, "id": "third", "hooks": ["cache_hit"]}]})
    server.answer("POST /plugins/my_plugin/test", FIRED)
    result = run(server, "fire", "memory_created", "--json")
    assert json.loads(result.output) == [{"plugin": "my_plugin", **FIRED}]
    nobody = run(server, "fire", "memory_deleted")
    assert (nobody.exit_code, "no enabled plugin has the hook memory_deleted" in nobody.stderr) == (1, True)


def test_a_hook_that_failed_fails_the_command(server: Answers) -> None:
    server.answer("POST /plugins/my_plugin/test", {**FIRED, "outcome": "failed", "error": "KeyError: 'x'"})
    result = run(server, "fire", "memory_created", "my_plugin")
    assert (result.exit_code, result.stderr) == (1, "Error: my_plugin: KeyError: 'x'\n")


def test_deliveries_can_be_narrowed_down(server: Answers) -> None:
    server.answer("GET /plugins/my_plugin/deliveries", {"deliveries": []})
    assert run(server, "deliveries", "my_plugin", "--result", "failed", "--limit", "5").exit_code == 0
    assert server.asked == [("GET /plugins/my_plugin/deliveries?limit=5&result=failed", "")]


def test_logs_are_failed_deliveries_and_the_lines_of_the_data_folder(server: Answers, tmp_path: Path) -> None:
    failed = {"at": "2026-11-22T12:00:00Z", "hook": "memory_created", "result": "failed", "error": "KeyError: 'x'"}
    server.answer("GET /plugins/my_plugin/deliveries", {"deliveries": [failed]})
    (tmp_path / "logs").mkdir()
    heading = "2026-11-22 10:52:32 INFO [lambda] ESM: Lambda memory-server-plugin-my_plugin output:"
    (tmp_path / "logs" / "aws.log").write_text(f"{heading}\nfirst\nsecond\nthird\n")
    result = run(server, "logs", "my_plugin", "--lines", "2", "--data-dir", str(tmp_path))
    assert result.exit_code == 0
    assert "KeyError: 'x'" in result.output
    assert result.output.endswith("\nsecond\nthird\n")


def test_logs_of_another_data_folder_are_asked_for(server: Answers, tmp_path: Path) -> None:
    server.answer("GET /plugins/my_plugin/deliveries", {"deliveries": []})
    result = run(server, "logs", "my_plugin", "--data-dir", str(tmp_path))
    assert f"is it the data folder of {server.url}?" in result.output


def run_me(server: Answers, *arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, ["me", *arguments], env={"MEMORY_SERVER_URL": server.url}, input=typed)


def test_who_a_user_is_and_what_they_have_is_shown_where_nothing_else_is_asked(server: Answers) -> None:
    server.answer("GET /me", {"user_id": "ada", "usage": {"memories": 3}})
    rows = {" ".join(line.split()) for line in run_me(server).output.splitlines()}
    assert {"user id ada", "usage memories 3"} <= rows


def test_an_export_is_asked_for_fetched_and_removed(server: Answers, tmp_path: Path) -> None:
    server.answer("POST /me/exports", {"id": "e1"}, 202)
    done: JsonValue = {"status": "done", "lines": 7, "download": {"url": f"{server.url}/file"}}
    server.answer("GET /me/exports/e1", done)
    server.answers["GET /file"] = (200, "what it is")
    server.answer("DELETE /me/exports/e1", None, 200)
    result = run_me(server, "export", str(tmp_path / "all.zip"))
    assert result.exit_code == 0, result.output
    assert (tmp_path / "all.zip").read_text() == "what it is"
    assert "has 7 lines" in result.output
    assert server.asked[-1][0] == "DELETE /me/exports/e1"
    assert run_me(server, "export", str(tmp_path / "all.zip")).exit_code == 1  # it is there already


@pytest.mark.parametrize("export", [{"status": "failed", "error": "no room", "lines": 1}, "gone"])
def test_an_export_that_fails_leaves_no_file(server: Answers, tmp_path: Path, export: JsonValue) -> None:
    server.answer("POST /me/exports", {"id": "e1"}, 202)
    gone: JsonValue = {"status": "done", "lines": 7, "download": {"url": f"{server.url}/gone"}}
    server.answer("GET /me/exports/e1", gone if export == "gone" else export)
    server.answer("DELETE /me/exports/e1", None, 200)
    result = run_me(server, "export", str(tmp_path / "all.zip"))
    assert result.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_erasing_wants_the_words(server: Answers) -> None:
    server.answer("DELETE /me", None, 200)
    assert run_me(server, "erase", typed="yes\n").exit_code == 1
    assert server.asked == []
    assert run_me(server, "erase", typed="erase everything\n").exit_code == 0
    assert run_me(server, "erase", "--yes").exit_code == 0
    assert [asked for asked, _ in server.asked] == ["DELETE /me?confirm=erase+everything"] * 2
