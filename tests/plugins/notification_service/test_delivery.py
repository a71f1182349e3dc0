"""What a rule wants reaches its channel once: signed, tried again, held back where the receiver asks for it."""

from __future__ import annotations

import asyncio
import json
from email.utils import formatdate
from time import time

import pytest
from standardwebhooks import Webhook

from plugins.notification_service import plugin
from tests.plugins.notification_service.notifier import MEMORY, SECRET, Notifier
from tests.plugins.notification_service.receivers import HttpReceiver, SmtpReceiver


async def test_a_webhook_is_signed_as_standard_webhooks(notifier: Notifier, receiver: HttpReceiver) -> None:
    await notifier.rule(await notifier.webhook(receiver))
    await notifier.created()
    (request,) = receiver.received
    payload = Webhook(SECRET).verify(request.body, dict(request.headers))
    assert request.path == "/hook?a=1"
    assert payload["type"] == "memory_created"
    assert payload["data"]["notices"] == [
        {
            "hook": "memory_created",
            "occurred_at": "2026-11-25T12:00:00+00:00",
            "project": "home",
            "content": "The cat sleeps.",
            "memory_id": "m-1",
            "memory_type": "decision",
            "tags": ["cat", "pet"],
            "importance": 0.8,
        }
    ]


async def test_an_email_arrives_as_text_and_html(notifier: Notifier, mail_server: SmtpReceiver) -> None:
    await notifier.rule(await notifier.email(mail_server))
    await notifier.created()
    (mail,) = mail_server.mails
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert mail["Subject"] == "Memory created in home"
    assert text is not None
    assert html is not None
    assert text.get_content().strip() == "The cat sleeps."
    assert "<p>The cat sleeps.</p>" in html.get_content()
    assert mail_server.recipients == ["ada@example.org"]


async def test_slack_gets_mrkdwn(notifier: Notifier, receiver: HttpReceiver) -> None:
    await notifier.rule(await notifier.channel("slack", {"url": f"{receiver.url}/services/T0/B0/x"}))
    await notifier.created()
    (request,) = receiver.received
    assert request.path == "/services/T0/B0/x"
    assert json.loads(request.body) == {
        "text": "*Memory created in home*\nThe cat sleeps.",
        "mrkdwn": True,
        "unfurl_links": False,
        "unfurl_media": False,
    }


async def test_an_event_that_comes_again_is_told_once(notifier: Notifier, receiver: HttpReceiver) -> None:
    channel = await notifier.webhook(receiver)
    await notifier.rule(channel)
    await notifier.rule(channel, min_importance=0.5)
    for _ in range(3):
        await notifier.created(event_id="the same")
    await asyncio.gather(*(notifier.created(event_id="the same") for _ in range(4)))
    assert len(receiver.received) == 1


async def test_events_that_come_at_once_all_arrive_once(notifier: Notifier, receiver: HttpReceiver) -> None:
    await notifier.rule(await notifier.webhook(receiver))
    await asyncio.gather(*(notifier.created(event_id=f"at once {number}") for number in range(10)))
    await notifier.tick()
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 10
    assert len(receiver.received) == 10


async def test_what_fails_is_sent_again_under_the_same_id_until_it_is_taken(
    notifier: Notifier, receiver: HttpReceiver
) -> None:
    await notifier.rule(await notifier.webhook(receiver))
    receiver.answers += [(500, {}), (302, {"location": "https://example.org/"})]
    await notifier.created()
    await notifier.tick()
    assert len(receiver.received) == 1
    await notifier.pass_time(70)
    await notifier.pass_time(70)
    assert len(receiver.received) == 2
    await notifier.pass_time(400)
    await notifier.pass_time(40_000)
    assert len(receiver.received) == 3
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 1
    (entry,) = await notifier.log()
    assert (entry["state"], entry["attempts"], entry["error"]) == ("sent", 3, None)


async def test_what_fails_for_hours_is_given_up(notifier: Notifier, receiver: HttpReceiver) -> None:
    await notifier.rule(await notifier.webhook(receiver))
    receiver.answers += [(500, {})] * 10
    await notifier.created()
    for _ in range(10):
        await notifier.pass_time(40_000)
    (entry,) = await notifier.log(state="failed")
    assert (entry["attempts"], entry["error"]) == (7, "the receiver answered 500")
    assert len(receiver.received) == 7


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_retry_after_is_honoured_and_holds_the_whole_channel(
    notifier: Notifier, receiver: HttpReceiver, form: str
) -> None:
    await notifier.rule(await notifier.webhook(receiver))
    wait = "3600" if form == "seconds" else formatdate(time() + 3600, usegmt=True)
    receiver.answers.append((429, {"retry-after": wait}))
    await notifier.created()
    await notifier.created()
    await notifier.pass_time(3000)
    assert len(receiver.received) == 1
    await notifier.pass_time(700)
    assert len(receiver.received) == 3


async def test_410_switches_the_channel_off_with_the_reason(notifier: Notifier, receiver: HttpReceiver) -> None:
    channel = await notifier.webhook(receiver)
    await notifier.rule(channel)
    receiver.answers.append((410, {}))
    await notifier.created()
    await notifier.created()
    shown = await notifier.got("GET", f"/channels/{channel}")
    assert (shown["enabled"], shown["disabled_reason"]) == (
        False,
        "the receiver answered 410: it wants no more messages",
    )
    assert len(receiver.received) == 1
    await notifier.got("PATCH", f"/channels/{channel}", {"enabled": True})
    await notifier.created()
    assert len(receiver.received) == 2


async def test_a_throttle_delays_and_loses_nothing(notifier: Notifier, receiver: HttpReceiver) -> None:
    channel = await notifier.webhook(receiver, throttle={"messages": 2, "seconds": 100})
    await notifier.rule(channel)
    for _ in range(5):
        await notifier.created()
    counts = [len(receiver.received)]
    for _ in range(3):
        await notifier.pass_time(101)
        counts.append(len(receiver.received))
    assert counts == [2, 4, 5, 5]


async def test_a_digest_is_one_message_of_all_that_came(notifier: Notifier, mail_server: SmtpReceiver) -> None:
    await notifier.rule(await notifier.email(mail_server), digest_minutes=60)
    for _ in range(3):
        await notifier.created()
    await notifier.tick()
    assert mail_server.mails == []
    await notifier.pass_time(3600)
    (mail,) = mail_server.mails
    text = mail.get_body(("plain",))
    assert mail["Subject"] == "3 notices"
    assert text is not None
    assert text.get_content().count("The cat sleeps.") == 3


async def test_a_digest_that_fails_is_sent_again_as_it_was(notifier: Notifier, receiver: HttpReceiver) -> None:
    await notifier.rule(await notifier.webhook(receiver), digest_minutes=1)
    receiver.answers.append((503, {}))
    await notifier.created()
    await notifier.pass_time(60)
    await notifier.created()
    await notifier.pass_time(70)
    first = receiver.received[0]
    again = [request for request in receiver.received if request.headers["webhook-id"] == first.headers["webhook-id"]]
    assert [json.loads(request.body) for request in again] == [json.loads(first.body)] * 2
    assert len(receiver.received) == 3


async def test_what_a_crash_left_half_sent_is_sent_again_under_the_same_id(
    notifier: Notifier, receiver: HttpReceiver
) -> None:
    await notifier.rule(await notifier.webhook(receiver))
    await notifier.created()
    await notifier.database.execute(
        "UPDATE notifications SET state = 'waiting', notice = %s::jsonb",
        [json.dumps(json.loads(receiver.received[0].body)["data"]["notices"][0])],
    )
    await notifier.database.execute("UPDATE channels SET leased_until = now() + interval '90 seconds'")
    await notifier.tick()
    assert len(receiver.received) == 1
    await notifier.pass_time(91)
    first, again = receiver.received
    assert first.headers["webhook-id"] == again.headers["webhook-id"]


async def test_a_mail_server_that_refuses_is_told_by_its_code_alone(
    notifier: Notifier, mail_server: SmtpReceiver
) -> None:
    mail_server.refusal = "451 try later, ada@example.org"
    await notifier.rule(await notifier.email(mail_server))
    await notifier.created()
    (entry,) = await notifier.log()
    assert (entry["state"], entry["error"]) == ("waiting", "the mail server answered 451")


async def test_a_dead_receiver_keeps_no_event_from_being_done(notifier: Notifier) -> None:
    with HttpReceiver.running() as gone:
        channel = await notifier.webhook(gone)
    await notifier.rule(channel)
    await notifier.created()
    (entry,) = await notifier.log()
    assert (entry["state"], entry["error"]) == ("waiting", "the receiver could not be reached")


async def test_a_channel_can_be_tested(notifier: Notifier, receiver: HttpReceiver) -> None:
    channel = await notifier.webhook(receiver)
    receiver.answers += [(200, {}), (500, {})]
    answers = [await notifier.got("POST", f"/channels/{channel}/test") for _ in range(2)]
    assert answers == [
        {"delivered": True, "error": None},
        {"delivered": False, "error": "the receiver answered 500"},
    ]


async def test_a_slow_receiver_is_left_to_the_schedule(notifier: Notifier, receiver: HttpReceiver) -> None:
    await notifier.rule(await notifier.webhook(receiver))
    receiver.delay = 3.1
    await notifier.created()
    await notifier.created()
    assert len(receiver.received) == 1
    receiver.delay = 0.0
    await notifier.tick()
    assert len(receiver.received) == 2
    await notifier.created()
    assert len(receiver.received) == 2


async def test_old_entries_of_the_log_are_forgotten(notifier: Notifier, receiver: HttpReceiver) -> None:
    await notifier.rule(await notifier.webhook(receiver))
    await notifier.created()
    await notifier.database.execute("UPDATE notifications SET created_at = now() - interval '31 days'")
    await notifier.created()
    await plugin.forget_old(notifier.context())
    assert len(await notifier.log()) == 1


async def test_contents_are_forgotten_once_they_are_sent(notifier: Notifier, receiver: HttpReceiver) -> None:
    await notifier.rule(await notifier.webhook(receiver))
    await notifier.created()
    assert await notifier.database.query("SELECT notice, template FROM notifications") == [
        {"notice": None, "template": None}
    ]
    assert MEMORY.content in receiver.received[0].body.decode()
