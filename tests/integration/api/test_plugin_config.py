"""What operators set for a plugin: its config is checked by its schema, its schedules move, its secrets stay in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.fixtures.aws import AwsStack
from tests.integration.api.deployed_plugin import DeployedPlugin, deployed

SCHEMA: Final = {
    "type": "object",
    "properties": {
        "days": {"type": "integer", "minimum": 1, "default": 30},
        "channels": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"to": {"type": "string", "format": "email"}},
                "required": ["to"],
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
SOURCE: Final = """
    import json

    async def initialize(context):
        say(json.dumps(context["server_config"]["config"]))
        say(context["server_config"]["secrets"].get("token"))
        raise ValueError(context["server_config"]["secrets"].get("token"))

    async def nightly(context):
        pass

    async def weekly(context):
        pass
    """
SCHEDULES: Final = {"nightly": "cron(0 3 * * ? *)", "weekly": "rate(7 days)"}
VALUE: Final = "xoxb-8a1f-not-for-anyone"


@pytest.fixture
def plugin(
    stack: AwsStack, plugin_functions: dict[str, Callable[[bytes], bytes]], tmp_path: Path
) -> Iterator[DeployedPlugin]:
    with deployed(stack, plugin_functions, tmp_path) as plugin:
        plugin.deploy(SOURCE, config=SCHEMA, schedules=SCHEDULES, secrets=["token", "password"])
        yield plugin


def put(api: httpx.Client, plugin: DeployedPlugin, **body: object) -> httpx.Response:
    return api.put(f"/plugins/{plugin.plugin_id}/config", json=body)


def faults(response: httpx.Response) -> dict[str, str]:
    """Return what is wrong by the pointers into the request."""
    assert response.status_code == 422, response.text
    return {fault["pointer"]: fault["detail"] for fault in response.json()["errors"]}


def test_a_plugin_that_nothing_was_set_for_has_its_defaults(api: httpx.Client, plugin: DeployedPlugin) -> None:
    assert api.get(f"/plugins/{plugin.plugin_id}/config").json() == {
        "config": {"days": 30},
        "schema": SCHEMA,
        "log_level": "INFO",
        "schedules": SCHEDULES,
        "secrets": {"token": False, "password": False},
    }


def test_what_is_set_is_answered_and_read_again(api: httpx.Client, plugin: DeployedPlugin) -> None:
    set_now = put(
        api,
        plugin,
        config={"channels": [{"to": "a@example.org"}]},
        log_level="DEBUG",
        schedules={"nightly": "rate(1 hour)"},
    )

    assert set_now.status_code == 200
    assert set_now.json()["config"] == {"days": 30, "channels": [{"to": "a@example.org"}]}
    assert set_now.json()["log_level"] == "DEBUG"
    assert set_now.json()["schedules"] == {**SCHEDULES, "nightly": "rate(1 hour)"}
    assert api.get(f"/plugins/{plugin.plugin_id}/config").json() == set_now.json()


def test_what_is_left_out_stays_and_what_is_given_takes_the_whole_place(
    api: httpx.Client, plugin: DeployedPlugin
) -> None:
    put(api, plugin, config={"days": 1, "channels": []}, log_level="ERROR", schedules={"nightly": "rate(1 hour)"})
    put(api, plugin, config={"days": 2})
    after = put(api, plugin, schedules={"weekly": "rate(2 days)"}).json()

    assert (after["config"], after["log_level"]) == ({"days": 2}, "ERROR")
    assert after["schedules"] == {**SCHEDULES, "weekly": "rate(2 days)"}


def test_every_fault_of_a_config_is_told_with_its_path(api: httpx.Client, plugin: DeployedPlugin) -> None:
    response = put(api, plugin, config={"days": 0, "channels": [{"to": "nobody"}, {"cc": "x"}, 7], "a/b": 1})

    assert faults(response) == {
        "#/config/days": "the value is less than the minimum of 1",
        "#/config/channels/0/to": 'the value is not a "email"',
        "#/config/channels/1/to": "is missing",
        "#/config/channels/1/cc": "is not known here: remove it",
        "#/config/channels/2": 'the value is not of type "object"',
        "#/config/a~1b": "is not known here: remove it",
    }
    assert api.get(f"/plugins/{plugin.plugin_id}/config").json()["config"] == {"days": 30}


def test_a_fault_of_any_part_leaves_all_parts_as_they_were(api: httpx.Client, plugin: DeployedPlugin) -> None:
    before = api.get(f"/plugins/{plugin.plugin_id}/config").json()
    response = put(
        api,
        plugin,
        config={"days": "many"},
        log_level="DEBUG",
        schedules={"nightly": "daily", "monthly": "rate(1 day)"},
    )

    assert faults(response).keys() == {"#/config/days", "#/schedules/nightly", "#/schedules/monthly"}
    assert api.get(f"/plugins/{plugin.plugin_id}/config").json() == before


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"log_level": "LOUD"}, "#/log_level"),
        ({"config": []}, "#/config"),
        ({"config": {"channels": "\0"}}, "#/config"),
        ({"config": {"channels": "x" * 70_000}}, "#/config"),
        ({"schedules": {"nightly": 5}}, "#/schedules/nightly"),
        ({"schedules": {"nightly": "at(2001-01-01T00:00:00)"}}, "#/schedules/nightly"),
        ({"schedules": {"nightly": "cron(0 3 * * * *)"}}, "#/schedules/nightly"),
        ({"unknown": 1}, "#/unknown"),
    ],
)
def test_what_no_plugin_could_have_is_refused(
    api: httpx.Client, plugin: DeployedPlugin, body: dict[str, object], pointer: str
) -> None:
    assert list(faults(put(api, plugin, **body))) == [pointer]


def test_a_plugin_without_a_schema_takes_the_empty_config_alone(api: httpx.Client, plugin: DeployedPlugin) -> None:
    plugin.deploy()

    assert put(api, plugin, config={}).json()["config"] == {}
    assert list(faults(put(api, plugin, config={"days": 1}))) == ["#/config/days"]


def test_the_plugin_reads_what_was_set_over_its_defaults(api: httpx.Client, plugin: DeployedPlugin) -> None:
    put(api, plugin, config={"channels": []})
    api.post(f"/plugins/enable/{plugin.plugin_id}")

    assert json.loads(plugin.function.said[0]) == {"days": 30, "channels": []}


def test_a_changed_schedule_of_an_enabled_plugin_holds_at_once(api: httpx.Client, plugin: DeployedPlugin) -> None:
    plugin.deploy("async def nightly(context): pass", schedules={"nightly": "rate(1 day)"})
    put(api, plugin, schedules={"nightly": "rate(2 days)"})
    assert plugin.schedules == {}

    api.post(f"/plugins/enable/{plugin.plugin_id}")
    assert plugin.schedules == {"nightly": "rate(2 days)"}

    put(api, plugin, schedules={"nightly": "rate(3 days)"})
    assert plugin.schedules == {"nightly": "rate(3 days)"}

    put(api, plugin, schedules={})
    assert plugin.schedules == {"nightly": "rate(1 day)"}


def test_a_secret_is_set_replaced_and_removed(api: httpx.Client, plugin: DeployedPlugin) -> None:
    url = f"/plugins/{plugin.plugin_id}/secrets/token"
    for value in ("first", "second"):
        assert api.put(url, json={"value": value}).status_code == 204
        assert plugin.secrets == {"token": value}
    assert api.get(f"/plugins/{plugin.plugin_id}/config").json()["secrets"] == {"token": True, "password": False}

    for _ in range(2):
        assert api.delete(url).status_code == 204
        assert plugin.secrets == {}


def test_a_plugin_that_missed_a_secret_has_it_when_it_is_enabled_again(
    api: httpx.Client, plugin: DeployedPlugin
) -> None:
    plugin.deploy(
        """
        async def initialize(context):
            say(context["server_config"]["secrets"]["token"])
        """,
        secrets=["token"],
    )
    refused = api.post(f"/plugins/enable/{plugin.plugin_id}")
    api.put(f"/plugins/{plugin.plugin_id}/secrets/token", json={"value": VALUE})

    assert "token: the secret has no value yet" in refused.json()["detail"]
    assert api.post(f"/plugins/enable/{plugin.plugin_id}").status_code == 200
    assert plugin.function.said == [VALUE]


def test_of_secrets_that_are_set_at_once_none_is_lost(api: httpx.Client, plugin: DeployedPlugin) -> None:
    names = [f"secret_{number}" for number in range(6)]
    plugin.deploy(secrets=names)
    with ThreadPoolExecutor(6) as threads:
        url = f"/plugins/{plugin.plugin_id}/secrets"

        def set_to_its_name(name: str) -> int:
            return api.put(f"{url}/{name}", json={"value": name}).status_code

        statuses = list(threads.map(set_to_its_name, names))

    assert statuses == [204] * 6
    assert plugin.secrets == {name: name for name in names}


def test_a_secret_that_the_plugin_does_not_name_is_not_found(api: httpx.Client, plugin: DeployedPlugin) -> None:
    for method in ("PUT", "DELETE"):
        response = api.request(method, f"/plugins/{plugin.plugin_id}/secrets/other", json={"value": VALUE})
        assert response.status_code == 404
        assert "token, password" in response.json()["detail"]
    assert plugin.secrets == {}


@pytest.mark.parametrize(
    "body",
    [
        {"value": ""},
        {"value": VALUE + "\0"},
        {"value": VALUE * 400},
        {"value": [VALUE]},
        {"value": {"of": VALUE}},
        {"value": "x", "note": VALUE},
        [VALUE],
        VALUE,
    ],
)
def test_a_value_that_is_refused_is_not_shown(api: httpx.Client, plugin: DeployedPlugin, body: object) -> None:
    response = api.put(f"/plugins/{plugin.plugin_id}/secrets/token", json=body)

    assert response.status_code == 422
    assert VALUE not in response.text
    assert plugin.secrets == {}


def test_a_secret_is_in_no_answer_no_log_and_no_event(
    api: httpx.Client, plugin: DeployedPlugin, stack: AwsStack, capfd: pytest.CaptureFixture[str]
) -> None:
    url = f"/plugins/{plugin.plugin_id}"
    answers = [
        api.put(f"{url}/secrets/token", json={"value": VALUE}),
        api.put(f"{url}/secrets/token", content=f'{{"value": "{VALUE}"', headers={"Content-Type": "application/json"}),
        api.get(f"{url}/config"),
        api.put(f"{url}/config", json={"log_level": "DEBUG"}),
        api.post(f"/plugins/enable/{plugin.plugin_id}"),
        api.get("/plugins/list"),
        api.get(f"/plugins/status/{plugin.plugin_id}"),
        api.delete(f"{url}/secrets/token"),
    ]

    assert plugin.function.said[-1] == VALUE  # the plugin itself had it, and raised it
    assert [answer.status_code for answer in answers] == [204, 422, 200, 200, 422, 200, 200, 204]
    assert [VALUE in answer.text for answer in answers] == [False] * len(answers)
    out, err = capfd.readouterr()
    assert VALUE not in out + err
    assert VALUE not in json.dumps(stack.received(plugin.queue_url))


def test_a_plugin_that_is_not_there_has_no_config(api: httpx.Client) -> None:
    for method, path in (("GET", "config"), ("PUT", "config"), ("PUT", "secrets/x"), ("DELETE", "secrets/x")):
        body = {"value": "x"} if path == "secrets/x" else {}
        assert api.request(method, f"/plugins/nobody/{path}", json=body).status_code == 404
