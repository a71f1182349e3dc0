"""Several plugins on one server: their libraries, their order, and what one of them cannot handle."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.stack import START_SECONDS, Stack
from tests.e2e.together import (
    RANKS,
    counted_within,
    enable_only,
    server_with_plugins,
    status,
    store,
    store_and_await_ranks,
    wait,
)

pytestmark = pytest.mark.timeout(START_SECONDS + 300)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with several plugins."""
    with server_with_plugins(tmp_path_factory.mktemp("together")) as stack:
        yield stack


def test_two_plugins_use_two_versions_of_one_library(server: Stack) -> None:
    enable_only(server, ["counter_a", "counter_b"])

    store(server, ["two versions of one library"])

    assert counted_within(server, "counter_a", expected=1, seconds=20) == {"23.2": 1}
    assert counted_within(server, "counter_b", expected=1, seconds=20) == {"24.2": 1}


def test_what_a_plugin_cannot_handle_is_a_dead_letter_after_5_receives_and_nobody_elses_concern(server: Stack) -> None:
    enable_only(server, ["raiser", "counter_c"])

    store(server, ["handled by one of two"])
    counted = counted_within(server, "counter_c", expected=1, seconds=10)
    tried = status(server, "raiser")["statistics"]["failed"]
    wait(lambda: status(server, "raiser")["queue"]["dead"] == 1, seconds=90)
    raiser = status(server, "raiser")

    assert counted == {"25.0": 1}
    assert tried < 5
    assert raiser["queue"]["dead"] == 1
    assert raiser["statistics"]["failed"] == 5
    assert "this plugin cannot do it" in str(raiser["statistics"]["last_error"])
    assert status(server, "counter_c")["statistics"]["failed"] == 0


def test_a_lower_priority_number_has_ended_before_the_others_begin(server: Stack) -> None:
    enable_only(server, list(RANKS))

    store_and_await_ranks(server, 40)

    assert status(server, "ranked_first")["statistics"]["failed"] >= 4
