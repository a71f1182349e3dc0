"""Where a server's logs are depends on where it runs."""

from __future__ import annotations

import pytest

from memory_cli.server import Server


@pytest.mark.parametrize(
    ("url", "is_here"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://[::1]:8000", True),
        ("http://localhost:8000/", True),
        ("https://abc.execute-api.eu-central-1.amazonaws.com", False),
        ("http://192.168.0.2:8000", False),
    ],
)
def test_a_server_on_this_machine_is_known_by_its_url(url: str, is_here: bool) -> None:
    assert Server(url).is_on_this_machine is is_here
