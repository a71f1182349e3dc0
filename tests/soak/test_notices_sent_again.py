"""A notice that a receiver missed, sent again by the schedule: it takes minutes, run by `make soak`."""

from __future__ import annotations

import json

import pytest

from tests.e2e.notices import BIG_ENOUGH, SECRET, loopback_allowed, make_channel, until
from tests.e2e.stack import START_SECONDS, Stack
from tests.plugins.notification_service.receivers import HttpReceiver

pytestmark = pytest.mark.timeout(START_SECONDS + BIG_ENOUGH)


def test_a_receiver_that_comes_back_gets_what_it_missed_from_the_schedule(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("notices")
    (folder / "settings.yaml").write_text(json.dumps({"plugins": {"plugins": ["notification_service"]}}))
    stack = Stack(folder, settings=folder / "settings.yaml")
    stack.start()
    try:
        with loopback_allowed(stack) as client, HttpReceiver.running() as hook:
            hook.answers.append((503, {}))
            make_channel(client, "webhook", {"url": f"{hook.url}/hook", "secret": SECRET}, name="comes back")
            client.post("/memories", json={"content": "Missed at first.", "project": "notices"}).raise_for_status()
            until(lambda: len(hook.received) == 2)
            first, again = hook.received
            assert first.headers["webhook-id"] == again.headers["webhook-id"]
    finally:
        stack.close()
