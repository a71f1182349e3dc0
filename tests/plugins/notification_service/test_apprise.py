"""Services of Apprise get messages; what would touch the machine that sends is refused."""

from __future__ import annotations

import json

import pytest

from tests.plugins.notification_service.notifier import Notifier
from tests.plugins.notification_service.receivers import HttpReceiver


async def test_a_service_of_apprise_gets_the_message(notifier: Notifier, receiver: HttpReceiver) -> None:
    await notifier.rule(await notifier.channel("apprise", {"url": f"json://127.0.0.1:{receiver.port}/path"}))
    await notifier.created()
    (request,) = receiver.received
    body = json.loads(request.body)
    assert (request.path, body["title"], body["message"]) == ("/path", "Memory created in home", "The cat sleeps.")


async def test_a_service_that_does_not_take_it_is_tried_again(notifier: Notifier, receiver: HttpReceiver) -> None:
    await notifier.rule(await notifier.channel("apprise", {"url": f"gotify://127.0.0.1:{receiver.port}/token"}))
    receiver.answers.append((500, {}))
    await notifier.created()
    (entry,) = await notifier.log()
    assert (entry["state"], entry["error"]) == (
        "waiting",
        "the service did not take the message, or could not be reached",
    )
    await notifier.pass_time(70)
    assert len(receiver.received) == 2


async def test_redirects_are_not_followed(notifier: Notifier, receiver: HttpReceiver) -> None:
    channel = await notifier.channel("apprise", {"url": f"json://127.0.0.1:{receiver.port}/"})
    receiver.answers.append((307, {"location": f"{receiver.url}/secret"}))
    assert (await notifier.got("POST", f"/channels/{channel}/test"))["delivered"] is False
    assert [request.path for request in receiver.received] == ["/"]


@pytest.mark.parametrize(
    "url",
    [
        "syslog://",
        "dbus://",
        "gnome://",
        "xmpp://u:p@example.org",
        "json://example.org, json://example.net",
        "macosx://",
        "windows://",
        "json://example.org/?redirect=yes",
        "vapid://me@example.org/?keyfile=/etc/passwd",
        "json://example.org/?attach=/etc/passwd",
        "nothing://example.org",
        "file:///etc/passwd",
        "example.org",
        "tgram://",
        "",
    ],
)
async def test_a_url_that_cannot_be_allowed_is_refused_and_not_repeated(notifier: Notifier, url: str) -> None:
    body = {"name": "x", "kind": "apprise", "settings": {"url": url}}
    answer = await notifier.ask("POST", "/channels", body)
    assert answer.status == 422
    assert "settings.url: " in str(answer.body)
    assert "passwd" not in str(answer.body)


async def test_a_channel_reads_no_file_of_the_machine(notifier: Notifier, receiver: HttpReceiver) -> None:
    url = f"workflow://127.0.0.1:{receiver.port}/{'a' * 32}/{'b' * 43}/?template=/proc/self/environ"
    answer = await notifier.ask("POST", "/channels", {"name": "x", "kind": "apprise", "settings": {"url": url}})
    if answer.status == 201:
        identifier = str(dict(answer.body)["id"])  # type: ignore[call-overload, arg-type]
        assert (await notifier.got("POST", f"/channels/{identifier}/test"))["delivered"] is False
    assert receiver.received == []
