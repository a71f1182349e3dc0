"""What a memory holds is text in every medium: it can neither mark up, nor mention, nor forge a header."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from plugin_kit.models import Memory
from plugins.notification_service.composing import compose
from plugins.notification_service.notices import Notice
from plugins.notification_service.templates import Template, render
from tests.plugins.notification_service.notifier import MEMORY, Notifier
from tests.plugins.notification_service.receivers import HttpReceiver, SmtpReceiver

HOSTILE = '<script>alert("x")</script> <!channel> <https://evil.example|safe> & \r\nBcc: eve@example.org'
TEMPLATE = {"title": "{{event}}: {{content}}", "body": "<b>{{content}}</b> ({{tags}}, {{ importance }})"}
NOTICE = Notice("memory_created", "2026-11-25T12:00:00+00:00", "home", content=HOSTILE, tags=("a", "b"), importance=0.5)


def hostile() -> Memory:
    return replace(MEMORY, content=HOSTILE)


async def test_html_and_headers_of_an_email_are_escaped(notifier: Notifier, mail_server: SmtpReceiver) -> None:
    await notifier.rule(await notifier.email(mail_server), template=TEMPLATE)
    await notifier.created(hostile())
    (mail,) = mail_server.mails
    html = mail.get_body(("html",))
    assert html is not None
    assert "<script>" not in html.get_content()
    assert "&lt;script&gt;" in html.get_content()
    assert mail["Bcc"] is None
    assert str(mail["Subject"]).startswith("Memory created: <script>")
    assert mail_server.recipients == ["ada@example.org"]


async def test_slack_text_can_neither_mention_nor_link(notifier: Notifier, receiver: HttpReceiver) -> None:
    await notifier.rule(await notifier.channel("slack", {"url": receiver.url}), template=TEMPLATE)
    await notifier.created(hostile())
    text = json.loads(receiver.received[0].body)["text"]
    assert "<" not in text
    assert "&lt;!channel&gt;" in text


async def test_the_json_of_a_webhook_holds_the_text_as_it_is(notifier: Notifier, receiver: HttpReceiver) -> None:
    await notifier.rule(await notifier.webhook(receiver), template=TEMPLATE)
    await notifier.created(hostile())
    data = json.loads(receiver.received[0].body)["data"]
    assert data["text"] == f"<b>{HOSTILE}</b> (cat, pet, 0.8)"
    assert data["notices"][0]["content"] == HOSTILE


async def test_a_long_memory_is_cut(notifier: Notifier, receiver: HttpReceiver) -> None:
    await notifier.rule(await notifier.webhook(receiver))
    await notifier.created(replace(MEMORY, content="x" * 100_000))
    content = json.loads(receiver.received[0].body)["data"]["notices"][0]["content"]
    assert (len(content), content[-1]) == (4000, "…")


@settings(deadline=None)
@given(st.text())
def test_no_text_gets_out_of_its_medium(content: str) -> None:
    notice = replace(NOTICE, content=content)
    assert not set(render("{{content}}", notice, "mrkdwn")) & set("<>")
    assert not set(render("{{content}}", notice, "html").replace("<br>\n", "")) & set("<>\"'")
    assert "\n" not in render("{{content}}", notice, "line")
    assert render("{{content}}", notice, "text") == content


@settings(deadline=None)
@given(st.text(), st.text())
def test_what_a_field_holds_is_no_template(title: str, content: str) -> None:
    notice = replace(NOTICE, content="{{tags}}" + content)
    message = compose("1", [notice], Template(title=title.replace("{", ""), body="{{content}}"), digest=False)
    assert message.text == "{{tags}}" + content
