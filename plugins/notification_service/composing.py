"""Makes one message of the notices that go together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from .message import Message
from .notices import Notice
from .templates import Medium, Template, render

_DIGEST_CONTENT: Final = 200


def compose(message_id: str, notices: Sequence[Notice], template: Template, *, digest: bool) -> Message:
    """Return the message of ``notices``; one that is no digest has one notice."""
    if digest:
        notices = [_shortened(notice) for notice in notices]
        heading = "1 notice" if len(notices) == 1 else f"{len(notices)} notices"
    else:
        heading = render(template.title, notices[0], "line").strip() or notices[0].hook
    titled = ((render(template.title, notice, "html"), render(template.body, notice, "html")) for notice in notices)
    return Message(
        id=message_id,
        title=heading,
        text=_text(notices, template, "text", "{title}\n{body}")
        if digest
        else render(template.body, notices[0], "text"),
        html="<!doctype html>\n<html><body>\n"
        + "\n".join(f"<h3>{title}</h3>\n<p>{body}</p>" for title, body in titled)
        + "\n</body></html>\n",
        mrkdwn=_text(notices, template, "mrkdwn", "*{title}*\n{body}"),
        event_type="digest" if digest else notices[0].hook,
        occurred_at=notices[-1].occurred_at,
        data=[notice.to_dict() for notice in notices],
    )


def _text(notices: Sequence[Notice], template: Template, medium: Medium, form: str) -> str:
    return "\n\n".join(
        form.format(title=render(template.title, notice, medium), body=render(template.body, notice, medium))
        for notice in notices
    )


def _shortened(notice: Notice) -> Notice:
    if len(notice.content) <= _DIGEST_CONTENT:
        return notice
    return replace(notice, content=f"{notice.content[: _DIGEST_CONTENT - 1]}…")
