"""A user who leaves a running server leaves nothing in it, and takes nothing of anybody else's along."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import httpx
import pytest
import yaml

from tests.e2e.remains import Remains
from tests.e2e.stack import START_SECONDS, Stack
from tests.e2e.together import wait

pytestmark = pytest.mark.timeout(START_SECONDS + 180)

KEEPER = Path(__file__).parent / "keeper"
BUILT_IN = ["memory_analytics", "backup_manager", "export_service", "notification_service"]
EXPORTS, BACKUPS = "/plugins/export_service", "/plugins/backup_manager"
HOOKS = "/plugins/notification_service"
TABLE = r"\1"
SCOPES = ["memories:read", "memories:write", "plugins:read"]
# Of each of these, something must have been there: else the test would find nothing afterwards, whatever was left.
STORES = {
    "sql:public.memories",
    "sql:public.memory_versions",
    "sql:public.outbox",
    "sql:public.idempotency_keys",
    "sql:plugin_keeper.kept",
    "sql:plugin_notification_service.notifications",
    "dynamodb:DeliveryLog",
    "dynamodb:EmbeddingCache",
    "s3:events",
    "s3:files/keeper",
    "s3:transfers/keeper",
    "s3:files/export_service",
    "sqs:dead",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("erasure")
    settings = folder / "settings.yaml"
    settings.write_text(yaml.safe_dump({"plugins": {"auto_load": False, "plugins": [*BUILT_IN, str(KEEPER)]}}))
    stack = Stack(folder, settings, sign_in="required")
    stack.start()
    try:
        yield stack
    finally:
        stack.close()


class User:
    """Someone who signs in, and all of whose texts have ``mark`` in them."""

    def __init__(self, server: Stack, administrator: httpx.Client, user_id: str) -> None:
        self.user_id = user_id
        self.mark = f"mark{uuid.uuid4().hex}"
        key = administrator.post("/keys", json={"user_id": user_id, "scopes": SCOPES}).raise_for_status().json()["key"]
        self.client = httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=40)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def post(self, path: str, body: object = None, **headers: str) -> httpx.Response:
        return self.client.post(path, json=body, headers=headers).raise_for_status()

    def state_of(self, path: str) -> str | None:
        """Return the state of what the user has begun there, None where the plugin is too busy to tell."""
        return self.client.get(path).json().get("state")

    def store(self, text: str, **fields: object) -> str:
        return self.post("/memories", {"content": f"{text} {self.mark}", **fields}).json()["id"]

    def do_everything(self) -> dict[str, str]:
        """Leave something wherever a user can; return where to look for what is done later."""
        channel = {"name": "hook", "kind": "webhook", "settings": {"url": "https://example.org/", "secret": _SECRET}}
        channel_id = self.post(f"{HOOKS}/channels", channel).json()["id"]
        self.post(f"{HOOKS}/rules", {"channel_id": channel_id, "hooks": ["memory_created"], "digest_minutes": 1440})
        self.post("/memories", {"content": f"once {self.mark}"}, **{"Idempotency-Key": self.mark})
        changed = self.store("first", tags=[self.mark], metadata={"of": self.mark})
        self.client.patch(f"/memories/{changed}", json={"content": f"second {self.mark}"}).raise_for_status()
        self.client.delete(f"/memories/{self.store('gone')}").raise_for_status()
        self.store("to fail with", tags=["fail"])
        large = [{"content": f"{number} {self.mark} {'lorem ipsum ' * 4000}"} for number in range(8)]
        self.post("/memories/batch", {"memories": large})
        assert len(self.post("/memories/search", {"query": self.mark, "limit": 10}).json()["results"]) == 10
        line = f'{{"content": "imported {self.mark}"}}\n'
        done = {
            "export": self.post(f"{EXPORTS}/exports", {"format": "jsonl", "compression": "gzip"}).json()["id"],
            "import": self.post(f"{EXPORTS}/imports", {"format": "jsonl", "text": line}).json()["id"],
            "backup": self.post(f"{BACKUPS}/backups", {}).json()["id"],
        }
        return {
            f"{EXPORTS}/exports/{done['export']}": "done",
            f"{EXPORTS}/imports/{done['import']}": "done",
            f"{BACKUPS}/backups/{done['backup']}": "complete",
        }


_SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


def kinds(names: set[str]) -> set[str]:
    """Return what kinds of stores these are, without what is of one user, one object or one stack in their names."""
    found: set[str] = set()
    for name in names:
        store, _, place = name.partition(":")
        if store == "s3":
            found.add(f"s3:{'/'.join(place.split('/')[: 1 if place.startswith('events') else 2])}")
        elif store == "dynamodb":
            found.add(f"dynamodb:{re.sub('.*-([A-Za-z]+)Table.*', TABLE, place)}")
        else:
            found.add("sqs:dead" if place.endswith("-dead") else name)
    return found


@pytest.fixture
def administrator(server: Stack) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {server.first_key()}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=40) as client:
        yield client


@pytest.fixture(scope="module")
def remains(server: Stack) -> Remains:
    return Remains(server)


def erased(user: User) -> bool:
    """Erase the user; where a part was too busy, ask again, as the answer says."""
    answer = user.client.delete("/me", params={"confirm": "erase everything"})
    assert answer.status_code in {204, 503}, answer.text
    return answer.status_code == 204


def test_afterwards_no_store_holds_what_was_the_users_and_others_have_all_of_theirs(
    server: Stack, administrator: httpx.Client, remains: Remains
) -> None:
    with User(server, administrator, "ada") as ada, User(server, administrator, "bob") as bob:
        ends = [(user, path, state) for user in (ada, bob) for path, state in user.do_everything().items()]
        for user, path, state in ends:
            wait(lambda path=path, state=state, user=user: user.state_of(path) == state, seconds=90)
        wait(lambda: remains.dead_letters("keeper") >= 2, seconds=90)
        wait(lambda: kinds(remains.of(ada.mark)) >= STORES, seconds=60)
        wait(lambda: "sqs:dead" in kinds(remains.of(bob.mark)), seconds=60)
        assert STORES - kinds(remains.of(ada.mark)) == set()
        of_ada = hashlib.sha256(b"ada").hexdigest()
        assert any(f"backup_manager/{of_ada}/backups/" in name for name in remains.of(of_ada))
        theirs = remains.of(bob.mark)
        assert "sqs:dead" in kinds(theirs)

        wait(lambda: erased(ada), seconds=60)

        assert remains.of(ada.mark) == set()
        assert kinds(remains.of(of_ada[:32])) == {"dynamodb:Erasures", "sql:public.erasures"}
        assert ada.client.get("/memories").status_code == 401
        # The statistics of a plugin have its last error alone, whosever it is.
        assert kinds(theirs - remains.of(bob.mark)) <= {"dynamodb:Plugins"}
        assert len(bob.client.get("/memories").json()["memories"]) > 10


def test_who_was_erased_may_come_back(server: Stack, administrator: httpx.Client, remains: Remains) -> None:
    with User(server, administrator, "eve") as before:
        before.store("before")
        wait(lambda: erased(before), seconds=60)
    with User(server, administrator, "eve") as after:
        after.store("after")
    kept = {"sql:plugin_keeper.kept", "s3:files/keeper", "dynamodb:EmbeddingCache"}
    wait(lambda: kinds(remains.of(after.mark)) >= kept, seconds=60)
    assert kinds(remains.of(after.mark)) >= kept
    assert remains.of(before.mark) == set()
