"""Channels and rules are their user's alone, and their credentials nobody's."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from plugin_kit.json_types import JsonObject
from tests.plugins.notification_service.notifier import SECRET, Notifier
from tests.plugins.notification_service.receivers import HttpReceiver

HOOK = "https://hooks.example.org/services/T00/B00/verysecret"
CHANNEL: JsonObject = {"name": "mine", "kind": "webhook", "settings": {"url": HOOK, "secret": SECRET}}
CREDENTIALS = ("verysecret", SECRET, SECRET.removeprefix("whsec_"))


async def test_a_channel_is_shown_without_its_settings(notifier: Notifier) -> None:
    made = await notifier.got("POST", "/channels", CHANNEL)
    assert made == {
        "id": made["id"],
        "name": "mine",
        "kind": "webhook",
        "target": "https://hooks.example.org",
        "throttle": {"messages": 30, "seconds": 60},
        "enabled": True,
        "disabled_reason": None,
        "created_at": made["created_at"],
    }
    assert await notifier.got("GET", f"/channels/{made['id']}") == made
    assert await notifier.got("GET", "/channels") == {"channels": [made]}


async def test_no_credential_is_stored_readably(notifier: Notifier) -> None:
    await notifier.got("POST", "/channels", CHANNEL)
    (row,) = await notifier.database.query("SELECT channels::text AS row FROM channels")
    assert not [credential for credential in CREDENTIALS if credential in str(row["row"])]


async def test_no_credential_is_logged_or_told_in_errors(
    notifier: Notifier, receiver: HttpReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver.answers += [(500, {})] * 2
    secret_url = f"127.0.0.1:{receiver.port}/verysecret"
    channels = [
        await notifier.channel("apprise", {"url": f"json://{secret_url}"}),
        await notifier.channel("webhook", {"url": f"http://{secret_url}", "secret": SECRET}),
        await notifier.channel("slack", {"url": "http://127.0.0.1:1/verysecret"}),
    ]
    for channel in channels:
        await notifier.rule(channel)
    await notifier.created()
    for told in (caplog.text, str(await notifier.log()), str(await notifier.got("GET", "/channels"))):
        assert not [credential for credential in CREDENTIALS if credential in told]


async def test_a_channel_keeps_its_settings_when_another_thing_is_changed(
    notifier: Notifier, receiver: HttpReceiver
) -> None:
    channel = await notifier.webhook(receiver)
    changed = await notifier.got(
        "PATCH", f"/channels/{channel}", {"name": "new", "throttle": {"messages": 1, "seconds": 9}}
    )
    assert (changed["name"], changed["throttle"]) == ("new", {"messages": 1, "seconds": 9})
    assert (await notifier.got("POST", f"/channels/{channel}/test"))["delivered"] is True
    await notifier.got("PATCH", f"/channels/{channel}", {"settings": {"url": "http://127.0.0.1:1/", "secret": SECRET}})
    assert (await notifier.got("POST", f"/channels/{channel}/test"))["delivered"] is False


async def test_what_is_of_another_user_is_not_there(notifier: Notifier, receiver: HttpReceiver) -> None:
    channel = await notifier.webhook(receiver)
    rule = await notifier.rule(channel)
    await notifier.created()
    other = notifier.of("eve")
    paths = [f"/channels/{channel}", f"/rules/{rule}"]
    for path in paths:
        for method, body in (("GET", None), ("PATCH", {"enabled": False}), ("DELETE", None)):
            assert (await other.ask(method, path, body)).status == 404
    assert (await other.ask("POST", f"/channels/{channel}/test")).status == 404
    assert (await other.ask("POST", "/rules", {"channel_id": channel, "hooks": ["memory_created"]})).status == 422
    assert await other.got("GET", "/channels") == {"channels": []}
    assert await other.got("GET", "/rules") == {"rules": []}
    assert await other.log() == []
    await other.created()
    assert len(receiver.received) == 1


async def test_two_users_may_use_the_same_name_and_one_may_not(notifier: Notifier) -> None:
    await notifier.got("POST", "/channels", CHANNEL)
    await notifier.of("eve").got("POST", "/channels", CHANNEL)
    answer = await notifier.ask("POST", "/channels", CHANNEL)
    assert answer.status == 422
    assert "take another name" in str(answer.body)


@pytest.mark.parametrize("secrets", [{}, {"encryption_key": "short"}, {"encryption_key": "no base64!"}])
async def test_without_a_key_a_channel_is_refused_with_what_to_do(notifier: Notifier, secrets: JsonObject) -> None:
    answer = await replace(notifier, secrets=secrets).ask("POST", "/channels", CHANNEL)
    assert answer.status == 409
    assert "PUT /plugins/notification_service/secrets/encryption_key" in str(answer.body)
    assert await notifier.got("GET", "/channels") == {"channels": []}


async def test_without_a_key_events_wait_until_there_is_one(notifier: Notifier, receiver: HttpReceiver) -> None:
    await notifier.rule(await notifier.webhook(receiver))
    await replace(notifier, secrets={}).created()
    await replace(notifier, secrets={}).tick()
    (entry,) = await notifier.log()
    assert (entry["state"], entry["attempts"]) == ("waiting", 0)
    await notifier.tick()
    assert len(receiver.received) == 1


async def test_another_key_opens_no_channel_and_says_so(notifier: Notifier, receiver: HttpReceiver) -> None:
    channel = await notifier.webhook(receiver)
    other = replace(notifier, secrets={"encryption_key": "A" * 42 + "E="})
    answer = await other.ask("POST", f"/channels/{channel}/test")
    assert answer.status == 409
    assert "encrypted under another encryption_key" in str(answer.body)


async def test_settings_moved_to_another_channel_do_not_open(notifier: Notifier, receiver: HttpReceiver) -> None:
    channel, other = await notifier.webhook(receiver), await notifier.webhook(receiver)
    await notifier.database.execute(
        "UPDATE channels SET sealed = (SELECT sealed FROM channels WHERE id = %s::uuid) WHERE id = %s::uuid",
        [other, channel],
    )
    assert (await notifier.ask("POST", f"/channels/{channel}/test")).status == 409


@pytest.mark.parametrize(
    ("kind", "settings", "fault"),
    [
        ("webhook", {"url": HOOK}, "settings.secret: write"),
        ("webhook", {"url": HOOK, "secret": "whsec_short"}, "settings.secret: write whsec_"),
        ("webhook", {"url": HOOK, "secret": SECRET, "method": "GET"}, "settings.method: there is no such setting"),
        ("webhook", {"url": "ftp://example.org", "secret": SECRET}, "settings.url: write a URL"),
        ("webhook", {"url": "https://u:verysecret@example.org", "secret": SECRET}, "settings.url: leave out the user"),
        ("webhook", {"url": "https://a b/", "secret": SECRET}, "settings.url: write a URL"),
        ("webhook", {"url": "https://a/\r\nx: y", "secret": SECRET}, "settings.url: write a text of one line"),
        ("webhook", {"url": "https://[::1", "secret": SECRET}, "settings.url: it is no URL"),
        ("webhook", {"url": "https://a:99999/", "secret": SECRET}, "settings.url: it is no URL"),
        ("slack", {}, "settings.url: write a text"),
        ("email", {"host": "h", "from": "a@example.org", "to": []}, "settings.to: write a list"),
        ("email", {"host": "h", "from": "nobody", "to": ["a@example.org"]}, "settings.from and settings.to"),
        (
            "email",
            {"host": "h", "from": "a@b.c\r\nBcc: x@y.z", "to": ["a@b.c"]},
            "settings.from: write a text of one line",
        ),
        ("email", {"host": "h", "from": "a@b.c", "to": ["a@b.c"], "port": 0}, "settings.port"),
        ("email", {"host": "h", "from": "a@b.c", "to": ["a@b.c"], "security": "ssl"}, "settings.security"),
        ("email", {"host": "h", "from": "a@b.c", "to": ["a@b.c"], "password": "verysecret"}, "username and password"),
        (
            "email",
            {"host": "h", "from": "a@b.c", "to": ["a@b.c"], "username": "u", "password": "p", "security": "none"},
            "with a password, write 'tls' or 'starttls'",
        ),
    ],
)
async def test_a_setting_that_is_wrong_is_named(
    notifier: Notifier, kind: str, settings: JsonObject, fault: str
) -> None:
    answer = await notifier.ask("POST", "/channels", {"name": "x", "kind": kind, "settings": settings})
    assert answer.status == 422
    assert fault in str(answer.body)
    assert "verysecret" not in str(answer.body)


async def test_a_channel_that_is_switched_off_gets_nothing(notifier: Notifier, receiver: HttpReceiver) -> None:
    channel = await notifier.webhook(receiver)
    await notifier.rule(channel)
    await notifier.got("PATCH", f"/channels/{channel}", {"enabled": False})
    await notifier.created()
    await notifier.tick()
    assert receiver.received == []


async def test_a_channel_takes_its_rules_and_its_log_with_it(notifier: Notifier, receiver: HttpReceiver) -> None:
    channel = await notifier.webhook(receiver)
    await notifier.rule(channel)
    await notifier.created()
    await notifier.got("DELETE", f"/channels/{channel}")
    assert await notifier.got("GET", "/rules") == {"rules": []}
    assert await notifier.log() == []
