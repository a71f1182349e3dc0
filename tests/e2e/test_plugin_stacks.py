"""A plugin that is removed leaves nothing behind but its tables and its secrets, and those only where they are kept."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import psycopg
import pytest
from botocore.exceptions import ClientError

from tests.e2e.stack import REPOSITORY, START_SECONDS, Stack
from tests.e2e.test_events import count_within, create

pytestmark = pytest.mark.timeout(START_SECONDS + 200)

PLUGIN: Final = "memory_analytics"
STACK: Final = "memory-server-plugin-memory-analytics"
SECRET: Final = "memory-server/plugin/memory_analytics"


def test_the_stack_of_a_plugin_takes_all_along_but_its_tables(stack: Stack) -> None:
    project = "before the removal"
    create(stack, "A memory that stays counted.", project)
    assert count_within(stack, project, expected=1, seconds=20) == 1

    stack.aws.cloudformation.delete_stack(StackName=STACK)

    wait_until_gone(stack)
    assert registered(stack) == 404
    assert [url for url in stack.aws.sqs.list_queues().get("QueueUrls", []) if PLUGIN in url] == []
    assert not has_secret(stack)
    assert has_schema(stack)
    create(stack, "A memory that nobody counts.", "after the removal")
    stack.stop()
    stack.start()
    assert registered(stack) == 200
    assert count_within(stack, project, expected=1, seconds=1) == 1


@pytest.mark.parametrize(("keep_data", "stays"), [("true", True), ("false", False)])
def test_a_plugin_that_the_settings_leave_out_is_forgotten_and_its_data_where_they_say_so(
    stack: Stack, tmp_path: Path, keep_data: str, stays: bool
) -> None:
    create(stack, f"A memory, keep_data {keep_data}.", f"settings {keep_data}")
    assert count_within(stack, f"settings {keep_data}", expected=1, seconds=20) == 1
    stack.stop()
    stack.settings = tmp_path / "settings.yaml"
    stack.settings.write_text(f"plugins: {{auto_load: false, keep_data: {keep_data}}}")

    stack.start()

    assert registered(stack) == 404
    assert has_schema(stack) is stays
    stack.stop()
    stack.settings = REPOSITORY / "config" / "settings.yaml"
    stack.start()
    assert registered(stack) == 200


def test_a_plugins_secret_outlives_a_kill(stack: Stack) -> None:
    stack.aws.secrets.put_secret_value(SecretId=SECRET, SecretString='{"token": "kept"}')

    stack.kill_all()
    stack.start()

    assert stack.aws.secrets.get_secret_value(SecretId=SECRET)["SecretString"] == '{"token": "kept"}'


def wait_until_gone(stack: Stack) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            (found,) = stack.aws.cloudformation.describe_stacks(StackName=STACK)["Stacks"]
        except ClientError:
            return
        if found["StackStatus"] == "DELETE_COMPLETE":
            return
        time.sleep(0.2)
    raise AssertionError("the stack is still there")


def registered(stack: Stack) -> int:
    """Return the HTTP status of the plugin's status."""
    return stack.http.get(f"/plugins/status/{PLUGIN}").status_code


def has_secret(stack: Stack) -> bool:
    return SECRET in [it.get("Name") for it in stack.aws.secrets.list_secrets()["SecretList"]]


def has_schema(stack: Stack) -> bool:
    with psycopg.connect(stack.admin_dsn) as connection:
        query = "SELECT 1 FROM pg_namespace WHERE nspname = %s"
        return connection.execute(query, [f"plugin_{PLUGIN}"]).fetchone() is not None
