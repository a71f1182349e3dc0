"""From a memory of a request to a mail server, a webhook's receiver and Slack's, through a server that runs."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest
from standardwebhooks import Webhook

from plugin_kit.json_types import JsonObject
from tests.e2e.stack import START_SECONDS, Stack
from tests.plugins.notification_service.receivers import HttpReceiver, SmtpReceiver

PLUGIN = "/plugins/notification_service"
SECRET = f"whsec_{base64.b64encode(os.urandom(32)).decode()}"
BIG_ENOUGH = 200.0
"""Seconds in which a message has arrived on a machine that is busy: the schedule has come round by then."""

pytestmark = pytest.mark.timeout(START_SECONDS + BIG_ENOUGH)


@pytest.fixture(scope="module")
def client(stack: Stack) -> Iterator[httpx.Client]:
    """A client of the server, whose operator allows loopback; its channels go afterwards."""
    with httpx.Client(base_url=stack.url, timeout=40) as client:
        config = {"config": {"allow_private_networks": ["127.0.0.0/8"]}}
        client.put(f"{PLUGIN}/config", json=config).raise_for_status()
        yield client
        for channel in client.get(f"{PLUGIN}/channels").raise_for_status().json()["channels"]:
            client.delete(f"{PLUGIN}/channels/{channel['id']}").raise_for_status()


def test_a_memory_is_told_by_email_webhook_and_slack(client: httpx.Client) -> None:
    with ExitStack() as receivers:
        mail = receivers.enter_context(SmtpReceiver.running())
        hook = receivers.enter_context(HttpReceiver.running())
        slack = receivers.enter_context(HttpReceiver.running())
        settings: dict[str, JsonObject] = {
            "email": {
                "host": mail.host,
                "port": mail.port,
                "security": "none",
                "from": "memory@example.org",
                "to": ["ada@example.org"],
            },
            "webhook": {"url": f"{hook.url}/hook", "secret": SECRET},
            "slack": {"url": f"{slack.url}/services/T0/B0/x"},
        }
        for kind in settings:
            _make(client, kind, settings[kind])

        content = "The notices of the e2e test go out."
        client.post("/memories", json={"content": content, "project": "notices"}).raise_for_status()

        _until(lambda: bool(mail.mails and hook.received and slack.received))
        payload = Webhook(SECRET).verify(hook.received[0].body, dict(hook.received[0].headers))
        assert payload["data"]["notices"][0]["content"] == content
        assert json.loads(slack.received[0].body)["text"] == f"*Memory created in notices*\n{content}"
        text = mail.mails[0].get_body(("plain",))
        assert mail.mails[0]["Subject"] == "Memory created in notices"
        assert text is not None
        assert text.get_content().strip() == content
        assert [len(hook.received), len(slack.received), len(mail.mails)] == [1, 1, 1]


def test_a_receiver_that_comes_back_gets_what_it_missed_from_the_schedule(client: httpx.Client) -> None:
    with HttpReceiver.running() as hook:
        hook.answers.append((503, {}))
        _make(client, "webhook", {"url": f"{hook.url}/hook", "secret": SECRET}, name="comes back")
        client.post("/memories", json={"content": "Missed at first.", "project": "notices"}).raise_for_status()
        _until(lambda: len(hook.received) == 2)
    first, again = hook.received
    assert first.headers["webhook-id"] == again.headers["webhook-id"]


def _make(client: httpx.Client, kind: str, settings: JsonObject, name: str | None = None) -> None:
    body = {"name": name or kind, "kind": kind, "settings": settings}
    channel = client.post(f"{PLUGIN}/channels", json=body)
    assert channel.status_code == 201, channel.text
    rule = {"channel_id": channel.json()["id"], "hooks": ["memory_created"], "projects": ["notices"]}
    made = client.post(f"{PLUGIN}/rules", json=rule)
    assert made.status_code == 201, made.text


def _until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + BIG_ENOUGH
    while not condition() and time.monotonic() < limit:
        time.sleep(0.05)
    assert condition()
