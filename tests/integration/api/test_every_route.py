"""Every route of the server, whichever there are: who may not get in does not, and learns nothing by trying.

What is not known to this module fails it: a route is open to strangers because it is listed here, or asks for a scope.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx
import pytest

from memory_api.app import create_app
from memory_server.bootstrap import Api
from memory_server.domain.events import new_id
from memory_server.domain.keys import key_text, new_key_id, new_secret
from memory_server.domain.principals import SCOPES, known_scopes
from memory_server.services.keys import KeyDraft
from plugin_kit.hooks import CATALOGUE
from tests.fixtures.aws import AwsStack
from tests.fixtures.issuer import AUDIENCE, Issuer, oidc_issuer
from tests.fixtures.signed_in import Keyring
from tests.integration.api.deployed_plugin import deployed
from tests.integration.api.operations import (
    METADATA,
    OPEN,
    OPEN_TO_ALL_WHO_SIGN_IN,
    Operation,
    operations_of,
    undeclared,
)

ENDPOINTS: Final = [
    {"method": "GET", "path": "/notes", "handler": "show", "summary": "Show"},
    {"method": "POST", "path": "/notes", "handler": "show", "summary": "Write", "scope": "memories:write"},
]
SOURCE: Final = """
async def show(request, context):
    return {}
"""


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with oidc_issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def environment(environment: dict[str, str], issuer: Issuer) -> Iterator[dict[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OIDC_ISSUER", issuer.url)
        patch.setenv("OIDC_AUDIENCE", AUDIENCE)
        yield environment


@pytest.fixture(scope="module")
def keyring(environment: dict[str, str]) -> Keyring:
    assert environment
    return Keyring()


@pytest.fixture(scope="module")
def operations(
    over_uvicorn: httpx.Client,
    stack: AwsStack,
    plugin_functions: dict[str, Callable[[bytes], bytes]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[list[Operation]]:
    """Every operation that there is, those of a plugin among them."""
    with deployed(stack, plugin_functions, tmp_path_factory.mktemp("plugin")) as plugin:
        plugin.deploy(SOURCE, enabled=True, endpoints=ENDPOINTS)
        deadline = time.monotonic() + 10
        found = operations_of(over_uvicorn.get("/openapi.json").json())
        while time.monotonic() < deadline and f"/plugins/{plugin.plugin_id}/notes" not in {item.path for item in found}:
            found = operations_of(over_uvicorn.get("/openapi.json").json())
        assert f"/plugins/{plugin.plugin_id}/notes" in {operation.path for operation in found}
        yield found


@pytest.fixture(scope="module")
def closed(operations: list[Operation]) -> list[Operation]:
    """Those that strangers may not ask for."""
    return [operation for operation in operations if str(operation) not in OPEN]


@pytest.fixture(scope="module")
def scoped(closed: list[Operation]) -> list[Operation]:
    """Those that ask for a scope."""
    return [operation for operation in closed if str(operation) not in OPEN_TO_ALL_WHO_SIGN_IN]


def draft(*scopes: str, expires_at: datetime | None = None) -> KeyDraft:
    return KeyDraft(user_id="ada", scopes=known_scopes(scopes or SCOPES), expires_at=expires_at)


def revoked(keyring: Keyring) -> str:
    new = keyring.make(draft())
    keyring.run(keyring.service.revoke(new.key.key_id))
    return new.text


def rotated(keyring: Keyring) -> str:
    new = keyring.make(draft())
    keyring.run(keyring.service.rotate(new.key.key_id))
    return new.text


def expired(keyring: Keyring) -> str:
    new = keyring.make(draft(expires_at=datetime.now(UTC) + timedelta(seconds=1)))
    while datetime.now(UTC) < (new.key.expires_at or datetime.now(UTC)):
        time.sleep(0.05)
    return new.text


def with_the_secret_of_another(keyring: Keyring) -> str:
    return key_text(keyring.make(draft()).key.key_id, new_secret())


CREDENTIALS: dict[str, Callable[[Keyring, Issuer], str]] = {
    "an unknown key": lambda _, __: key_text(new_key_id(), new_secret()),
    "a revoked key": lambda keyring, _: revoked(keyring),
    "a key before it was rotated": lambda keyring, _: rotated(keyring),
    "an expired key": lambda keyring, _: expired(keyring),
    "a key with another secret": lambda keyring, _: with_the_secret_of_another(keyring),
    "a key with a typing error": lambda keyring, _: keyring.make(draft()).text[:-1] + "g",
    "a token for another audience": lambda _, issuer: issuer.token(aud="https://other.test", scope=" ".join(SCOPES)),
    "a token of another issuer": lambda _, issuer: issuer.token(iss="https://other.test", scope=" ".join(SCOPES)),
    "an expired token": lambda _, issuer: issuer.token(exp=1, scope=" ".join(SCOPES)),
    "an unsigned token": lambda _, issuer: issuer.unsigned(scope=" ".join(SCOPES)),
    "a token signed with the public key": lambda _, issuer: issuer.signed_with_public_key(scope=" ".join(SCOPES)),
    "no credential at all": lambda _, __: "nonsense",
}


def test_every_route_asks_for_a_scope_or_is_open_on_purpose(over_uvicorn: httpx.Client) -> None:
    assert over_uvicorn
    assert undeclared(create_app(_no_services())) == set()


def test_a_new_route_that_nobody_thought_of_is_found_and_closed_to_strangers() -> None:
    app = create_app(_no_services())

    @app.get("/new")
    def new() -> None: ...

    assert undeclared(app) == {"GET /new"}


def test_a_path_that_does_not_exist_tells_strangers_nothing(over_uvicorn: httpx.Client) -> None:
    assert Operation("GET", "/nothing", None).send(over_uvicorn, None).status_code == 401


def test_nothing_answers_without_a_credential_but_says_how_to_get_one(
    over_uvicorn: httpx.Client, closed: list[Operation]
) -> None:
    for operation in closed:
        response = operation.send(over_uvicorn, None)
        assert response.status_code == 401, operation
        challenge = response.headers["WWW-Authenticate"]
        assert challenge.startswith("Bearer scope="), operation
        assert f'resource_metadata="{str(over_uvicorn.base_url).rstrip("/")}{METADATA}"' in challenge, operation


@pytest.mark.parametrize("kind", CREDENTIALS)
def test_nothing_answers_a_credential_that_is_wrong_and_nothing_says_why(
    over_uvicorn: httpx.Client, closed: list[Operation], keyring: Keyring, issuer: Issuer, kind: str
) -> None:
    credential = CREDENTIALS[kind](keyring, issuer)
    told = set[str]()
    for operation in closed:
        response = operation.send(over_uvicorn, credential)
        assert response.status_code == 401, operation
        assert 'error="invalid_token"' in response.headers["WWW-Authenticate"], operation
        told.add(response.json()["detail"])
    assert len(told) == 1
    assert told == {Operation("GET", "/memories", None).send(over_uvicorn, "other").json()["detail"]}


def test_nothing_answers_too_small_a_scope_but_says_which_would_do(
    over_uvicorn: httpx.Client, scoped: list[Operation], keyring: Keyring, issuer: Issuer
) -> None:
    for operation in scoped:
        others = [scope for scope in SCOPES if scope != operation.scope]
        for credential in (keyring.make(draft(*others)).text, issuer.token(scope=" ".join(others))):
            response = operation.send(over_uvicorn, credential)
            assert response.status_code == 403, operation
            challenge = response.headers["WWW-Authenticate"]
            assert 'error="insufficient_scope"' in challenge, operation
            assert f'scope="{operation.scope}"' in challenge, operation


def test_everything_answers_the_scope_that_it_asks_for(
    over_uvicorn: httpx.Client, scoped: list[Operation], keyring: Keyring, issuer: Issuer
) -> None:
    for operation in scoped:
        scope = str(operation.scope)
        for credential in (keyring.make(draft(scope)).text, issuer.token(scope=scope)):
            assert operation.send(over_uvicorn, credential).status_code not in (401, 403, 500), operation


def test_who_has_signed_in_may_ask_who_they_are_whatever_their_scope(
    over_uvicorn: httpx.Client, keyring: Keyring, issuer: Issuer
) -> None:
    for scope in SCOPES:
        for credential in (keyring.make(draft(scope)).text, issuer.token(scope=scope)):
            answer = Operation("GET", "/me", None).send(over_uvicorn, credential)
            assert (answer.status_code, answer.json()["scopes"]) == (200, [scope])


def test_what_is_another_users_is_as_if_it_were_not_there(
    over_uvicorn: httpx.Client, closed: list[Operation], keyring: Keyring
) -> None:
    ada = {"Authorization": f"Bearer {keyring.key_of('ada')}"}
    mine = over_uvicorn.post("/memories", json={"content": f"a secret {new_id()}"}, headers=ada).json()
    of_a_memory = [operation for operation in closed if "{memory_id}" in operation.path]
    assert len(of_a_memory) >= 4
    for operation in of_a_memory:
        theirs = operation.send(over_uvicorn, keyring.key_of("bob"), memory_id=mine["id"])
        nobodys = operation.send(over_uvicorn, keyring.key_of("bob"))
        assert (theirs.status_code, nobodys.status_code) == (404, 404), operation
        assert theirs.text.replace(mine["id"], "") == nobodys.text.replace("019a9c3e-7b52-7c11-9d2f-0a6b5c3e1f40", "")


@pytest.mark.parametrize("hook", CATALOGUE)
def test_no_hook_can_be_fired_without_the_scope_for_it(over_uvicorn: httpx.Client, keyring: Keyring, hook: str) -> None:
    key = keyring.make(draft("memories:read", "memories:write", "plugins:read")).text
    for headers, status in (({}, 401), ({"Authorization": f"Bearer {key}"}, 403)):
        request = over_uvicorn.build_request("POST", "/plugins/any/test", json={"hook": hook}, headers=headers)
        request.headers.pop("X-Test-User", None)
        assert over_uvicorn.send(request).status_code == status


def test_a_plugin_that_is_not_there_is_told_to_those_alone_who_may_list_plugins(
    over_uvicorn: httpx.Client, operations: list[Operation], keyring: Keyring
) -> None:
    (notes, _) = [operation for operation in operations if operation.path.endswith("/notes")]
    key = keyring.make(draft("memories:read")).text
    answers = [
        operation.send(over_uvicorn, key) for operation in (notes, Operation("GET", "/plugins/nobody/notes", None))
    ]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].json()["detail"] == answers[1].json()["detail"]


def test_strangers_see_the_servers_routes_in_the_document_and_no_plugins(
    over_uvicorn: httpx.Client, operations: list[Operation]
) -> None:
    document = Operation("GET", "/openapi.json", None).send(over_uvicorn, None).json()
    seen = {operation.path for operation in operations_of(document)}
    assert "/memories" in seen
    assert {operation.path for operation in operations} - seen == {
        operation.path for operation in operations if operation.path.endswith("/notes")
    }


def _no_services() -> Api:
    class Nothing:
        """Services that no request reaches."""

        sign_in = rate_limits = None

        class events:  # noqa: N801  # stands for an attribute
            @staticmethod
            def observed(_: object) -> None: ...

    return Nothing()  # pyright: ignore[reportReturnType]
