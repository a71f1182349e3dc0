"""Channels of notification_service on a server that runs, and receivers on this machine."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

import httpx

from plugin_kit.json_types import JsonObject
from tests.e2e.stack import Stack

PLUGIN = "/plugins/notification_service"
SECRET = f"whsec_{base64.b64encode(os.urandom(32)).decode()}"
BIG_ENOUGH = 200.0
"""Seconds in which a message has arrived on a machine that is busy: the schedule has come round by then."""


@contextmanager
def loopback_allowed(stack: Stack) -> Generator[httpx.Client]:
    """Give a client of the server, whose operator allows loopback; its channels go afterwards."""
    with httpx.Client(base_url=stack.url, timeout=40) as client:
        config = {"config": {"allow_private_networks": ["127.0.0.0/8"]}}
        client.put(f"{PLUGIN}/config", json=config).raise_for_status()
        yield client
        for channel in client.get(f"{PLUGIN}/channels").raise_for_status().json()["channels"]:
            client.delete(f"{PLUGIN}/channels/{channel['id']}").raise_for_status()


def make_channel(client: httpx.Client, kind: str, settings: JsonObject, name: str | None = None) -> None:
    """Make a channel with a rule for what is created in the project notices."""
    body = {"name": name or kind, "kind": kind, "settings": settings}
    channel = client.post(f"{PLUGIN}/channels", json=body)
    assert channel.status_code == 201, channel.text
    rule = {"channel_id": channel.json()["id"], "hooks": ["memory_created"], "projects": ["notices"]}
    made = client.post(f"{PLUGIN}/rules", json=rule)
    assert made.status_code == 201, made.text


def until(condition: Callable[[], bool]) -> None:
    """Return when ``condition`` holds."""
    limit = time.monotonic() + BIG_ENOUGH
    while not condition() and time.monotonic() < limit:
        time.sleep(0.05)
    assert condition()
