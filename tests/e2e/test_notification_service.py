"""From a memory of a request to a mail server, a webhook's receiver and Slack's, through a server that runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook

from plugin_kit.json_types import JsonObject
from tests.e2e.notices import BIG_ENOUGH, SECRET, loopback_allowed, make_channel, until
from tests.e2e.pages import commands, run
from tests.e2e.stack import START_SECONDS, Stack
from tests.plugins.notification_service.receivers import HttpReceiver, SmtpReceiver

pytestmark = pytest.mark.timeout(START_SECONDS + BIG_ENOUGH)


@pytest.fixture(scope="module")
def client(stack: Stack) -> Iterator[httpx.Client]:
    with loopback_allowed(stack) as client:
        yield client


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
            make_channel(client, kind, settings[kind])

        content = "The notices of the e2e test go out."
        client.post("/memories", json={"content": content, "project": "notices"}).raise_for_status()

        until(lambda: bool(mail.mails and hook.received and slack.received))
        payload = Webhook(SECRET).verify(hook.received[0].body, dict(hook.received[0].headers))
        assert payload["data"]["notices"][0]["content"] == content
        assert json.loads(slack.received[0].body)["text"] == f"*Memory created in notices*\n{content}"
        text = mail.mails[0].get_body(("plain",))
        assert mail.mails[0]["Subject"] == "Memory created in notices"
        assert text is not None
        assert text.get_content().strip() == content
        assert [len(hook.received), len(slack.received), len(mail.mails)] == [1, 1, 1]


@pytest.mark.usefixtures("client")
def test_the_commands_of_its_page_work(stack: Stack, tmp_path: Path) -> None:
    with HttpReceiver.running() as hook:
        pages = commands("plugins/notification_service/README.md")
        assert len(pages) == 3
        for block in pages:
            run(block.replace("https://example.org/hook", f"{hook.url}/hook"), stack, tmp_path)
        until(lambda: bool(hook.received))
