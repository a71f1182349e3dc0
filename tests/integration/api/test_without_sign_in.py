"""Without sign-in a server answers this machine alone, and starts at no other address."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import uvicorn

from infra.local.api import Door
from infra.local.errors import CannotRun
from memory_api.app import from_environment
from memory_server.settings import InvalidSettings


@pytest.fixture(scope="module")
def without(environment: dict[str, str]) -> Iterator[dict[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIGN_IN", "off")
        yield environment


@pytest.fixture(scope="module")
def client(without: dict[str, str]) -> Iterator[httpx.Client]:
    assert without
    config = uvicorn.Config(from_environment("127.0.0.1"), host="127.0.0.1", port=0, log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        yield client
    server.should_exit = True
    thread.join()


def test_everyone_on_this_machine_is_one_user_who_may_do_everything(client: httpx.Client) -> None:
    path = client.post("/memories", json={"content": "local"}).headers["Location"]
    assert client.get(path).json()["content"] == "local"
    for asked in ("/plugins/list", "/keys"):
        assert client.get(asked).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.test"}, {"Host": "evil.test:8000"}, {"Origin": "https://evil.test"}, {"Origin": "null"}],
)
def test_a_page_of_the_web_gets_no_answer(client: httpx.Client, headers: dict[str, str]) -> None:
    assert client.get("/memories", headers=headers).status_code == 401
    assert client.post("/plugins/disable/any", headers=headers).status_code == 401


def test_a_page_of_this_machine_does(client: httpx.Client) -> None:
    assert client.get("/memories", headers={"Origin": "http://localhost:3000"}).status_code == 200


@pytest.mark.parametrize("host", [None, "0.0.0.0", "192.0.2.1", "::", "memory.test"])  # noqa: S104
def test_it_does_not_start_at_another_address_or_on_aws(without: dict[str, str], host: str | None) -> None:
    assert without
    with pytest.raises(InvalidSettings, match="SIGN_IN is off"):
        from_environment(host)


def test_make_run_says_what_to_do_for_another_address() -> None:
    with pytest.raises(CannotRun, match="SIGN_IN=required"):
        Door(port=8000, host="0.0.0.0")  # noqa: S104
    assert Door(port=8000, host="0.0.0.0", sign_in=True).url == "http://127.0.0.1:8000"  # noqa: S104


def test_a_setting_that_is_neither_is_refused(without: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert without
    monkeypatch.setenv("SIGN_IN", "of")
    with pytest.raises(InvalidSettings, match="write required or off"):
        from_environment("127.0.0.1")
