"""A plugin may do what its PLUGIN_INFO asks for, for the user of its event, and nothing else."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from functions.plugin_gateway import handler as function
from plugin_kit.json_types import JsonValue
from tests.fixtures.aws import AwsStack
from tests.fixtures.functions import Invocation
from tests.integration.gateway.conftest import ALL_PERMISSIONS, Plugin, error_of

OPERATIONS: list[tuple[str, str, dict[str, JsonValue]]] = [
    ("memory.get", "memory:read", {"memory_id": "m"}),
    ("memory.search", "memory:read", {"query": "text"}),
    ("memory.list", "memory:read", {}),
    ("memory.create", "memory:write", {"content": "text"}),
    ("memory.update", "memory:write", {"memory_id": "m", "content": "text"}),
    ("memory.delete", "memory:write", {"memory_id": "m"}),
    ("database.query", "database:read", {"sql": "SELECT 1"}),
    ("database.execute", "database:write", {"sql": "SELECT 1"}),
    ("embedding.embed", "embedding", {"texts": ["text"]}),
    ("cache.get", "cache", {"key": "k"}),
    ("cache.set", "cache", {"key": "k", "value": 1}),
    ("cache.delete", "cache", {"key": "k"}),
]


def test_without_its_permission_an_operation_is_refused_with_the_permission_s_name(gateway: AwsStack) -> None:
    for number, (operation, permission, arguments) in enumerate(OPERATIONS):
        plugin = Plugin(gateway, f"modest_{number}")
        plugin.register(*(other for other in ALL_PERMISSIONS if other != permission))
        message = plugin.refused(operation, **arguments)
        assert f"{operation} needs the permission {permission!r}" in message
        assert "PLUGIN_INFO" in message


def test_a_plugin_that_is_not_registered_is_refused(gateway: AwsStack) -> None:
    assert "not registered" in Plugin(gateway, "nobody").refused("memory.list")


@dataclass
class ByAnotherWay(Invocation):
    """An invocation that does not come by a plugin's alias."""

    end_of_arn: str = ""

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:eu-central-1:123456789012:function:{self.end_of_arn}"


@pytest.mark.parametrize("end_of_arn", ["plugin-gateway", "plugin-gateway:live"])
def test_a_call_that_comes_by_no_plugin_s_alias_is_refused(gateway: AwsStack, end_of_arn: str) -> None:
    Plugin(gateway, "gateway").register(*ALL_PERMISSIONS)  # what follows "plugin-" in the function's own name
    invocation = ByAnotherWay("plugin-gateway", end_of_arn=end_of_arn)
    answer = function.handler({"operation": "embedding.embed", "arguments": {"texts": []}}, invocation.context)
    assert "names no plugin" in error_of("PermissionRefused", answer)


def test_memories_are_closed_to_a_call_without_a_grant(plugin: Plugin) -> None:
    plugin.grant = None
    of_memories = [(name, arguments) for name, _, arguments in OPERATIONS if name.startswith("memory.")]
    assert len(of_memories) == 6
    for operation, arguments in of_memories:
        assert "no valid grant" in plugin.refused(operation, **arguments)


def test_a_grant_of_an_event_of_no_user_opens_no_user_s_memories(plugin: Plugin) -> None:
    plugin.grant = plugin.signed(user_id=None)
    assert "the event is no user's" in plugin.refused("memory.list")


def test_a_forged_expired_or_foreign_grant_is_refused_with_the_same_words(plugin: Plugin) -> None:
    grants = [
        plugin.signed(key=b"guessed"),
        plugin.signed(expires_at=datetime.now(UTC) - timedelta(seconds=1)),
        plugin.signed(plugins=("another",)),
        "nonsense",
        7,
    ]
    messages: set[str] = set()
    for grant in grants:
        plugin.grant = grant  # pyright: ignore[reportAttributeAccessIssue]  # a plugin may send anything
        messages.add(plugin.refused("memory.list"))
    assert len(messages) == 1


def test_what_is_the_plugin_s_own_needs_no_grant(plugin: Plugin) -> None:
    plugin.grant = None
    assert plugin.ok("embedding.embed", texts=[]) == []


def test_an_unknown_operation_is_answered_with_those_that_there_are(plugin: Plugin) -> None:
    message = plugin.failed("cache.peek", key="k")
    assert "'cache.peek' is unknown" in message
    for operation, _, _ in OPERATIONS:
        assert operation in message


def test_every_call_is_logged_without_its_content(plugin: Plugin, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    plugin.ok("memory.create", content="a secret of the user")
    plugin.grant = None
    plugin.refused("memory.list")
    plugin.failed("a secret as an operation")
    calls = [vars(record) for record in caplog.records if record.getMessage() == "a plugin called"]
    assert [(call["plugin_id"], call["operation"], call["outcome"]) for call in calls] == [
        ("analytics", "memory.create", "ok"),
        ("analytics", "memory.list", "PermissionRefused"),
        ("analytics", "unknown", "ServiceFailed"),
    ]
    assert calls[0]["milliseconds"] > 0
    assert "a secret" not in str([vars(record) for record in caplog.records])
