"""Slack, by an incoming webhook."""

from __future__ import annotations

from plugin_kit.json_types import JsonObject, dumps

from .. import settings as read
from ..addresses import Network
from ..message import Message
from .posting import post


def target(settings: JsonObject) -> str:
    """Check the setting ``url``, which is a secret but for its host."""
    read.only(settings, "url")
    return read.url(settings).origin


def send(network: Network, settings: JsonObject, message: Message) -> None:
    """Send the message as mrkdwn; links in memories are not unfurled."""
    body = {"text": message.mrkdwn, "mrkdwn": True, "unfurl_links": False, "unfurl_media": False}
    post(network, read.url(settings), dumps(body).encode(), {"content-type": "application/json"})
