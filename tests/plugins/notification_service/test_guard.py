"""The guard holds where a name changes its meaning, a receiver redirects, and a library connects by itself."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import urllib3

from plugins.notification_service.addresses import Network
from plugins.notification_service.confinement import confined
from plugins.notification_service.errors import DeliveryFailed, DeliveryRefused
from plugins.notification_service.senders.posting import post
from plugins.notification_service.settings import url
from tests.plugins.notification_service.notifier import Notifier
from tests.plugins.notification_service.receivers import HttpReceiver, SmtpReceiver

LOOPBACK = Network.of(["127.0.0.1/32"])


def answering(*answers: str) -> tuple[Callable[[str, int], list[str]], list[str]]:
    """Return a resolver that answers each question otherwise, and the questions that it got."""
    following: Iterator[str] = iter(answers)
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return [next(following)]

    return resolve, asked


def test_a_name_is_resolved_once_and_what_it_means_later_does_not_matter(receiver: HttpReceiver) -> None:
    resolve, asked = answering("127.0.0.1", "169.254.169.254")
    network = replace(LOOPBACK, resolve=resolve)
    post(network, url({"url": f"http://rebound.example:{receiver.port}/"}), b"{}", {})
    assert asked == ["rebound.example"]
    assert receiver.received[0].headers["host"] == f"rebound.example:{receiver.port}"


def test_a_name_that_turns_private_is_refused_and_not_connected_to(receiver: HttpReceiver) -> None:
    resolve, _ = answering("127.0.0.1")
    with pytest.raises(DeliveryRefused):
        post(Network(resolve=resolve), url({"url": f"http://rebound.example:{receiver.port}/"}), b"{}", {})
    assert receiver.received == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver: HttpReceiver, status: int) -> None:
    receiver.answers.append((status, {"location": f"{receiver.url}/secret"}))
    with pytest.raises(DeliveryFailed, match="redirects are not followed"):
        post(LOOPBACK, url({"url": receiver.url}), b"{}", {})
    assert [request.path for request in receiver.received] == ["/"]


def test_a_library_that_resolves_and_connects_itself_is_held_to_the_network(receiver: HttpReceiver) -> None:
    with pytest.raises(DeliveryRefused), confined(Network()), urllib3.PoolManager() as pool:
        pool.request("GET", receiver.url, retries=False)
    assert receiver.received == []


def test_a_redirect_that_a_library_follows_leads_to_no_forbidden_address(receiver: HttpReceiver) -> None:
    receiver.answers.append((302, {"location": f"http://127.0.0.2:{receiver.port}/secret"}))
    with pytest.raises(DeliveryRefused), confined(LOOPBACK), urllib3.PoolManager() as pool:
        pool.request("GET", receiver.url)
    assert [request.path for request in receiver.received] == ["/"]


def test_datagrams_and_sockets_of_the_machine_are_held_back() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, pytest.raises(DeliveryRefused):  # noqa: SIM117
        with confined(Network()):
            datagrams.sendto(b"x", ("127.0.0.1", 514))
    with socket.socket(socket.AF_UNIX) as local, pytest.raises(DeliveryRefused):  # noqa: SIM117
        with confined(Network()):
            local.connect("/dev/log")


def test_a_name_that_only_the_socket_would_resolve_is_refused() -> None:
    for host in ("localhost", "2130706433", ""):
        with socket.socket() as stream, pytest.raises(DeliveryRefused), confined(Network(all_private=True)):
            stream.connect((host, 9))


def test_confined_code_starts_nothing_and_reads_no_files_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    with pytest.raises(DeliveryRefused), confined(Network()):
        subprocess.run(["true"], check=True)
    for file in (tmp_path / "secret", Path("/proc/self/environ"), Path("/etc/passwd")):
        with pytest.raises(DeliveryRefused), confined(Network()):
            file.read_text()


def test_what_is_not_confined_is_free(receiver: HttpReceiver) -> None:
    with confined(Network()):
        pass
    with urllib3.PoolManager() as pool:
        assert pool.request("GET", receiver.url, retries=False).status == 200


@pytest.mark.parametrize("kind", ["webhook", "slack", "apprise", "email"])
async def test_no_kind_of_channel_reaches_loopback_unless_it_is_allowed(
    notifier: Notifier, receiver: HttpReceiver, mail_server: SmtpReceiver, kind: str
) -> None:
    channel = await {
        "webhook": lambda: notifier.webhook(receiver),
        "slack": lambda: notifier.channel("slack", {"url": receiver.url}),
        "apprise": lambda: notifier.channel("apprise", {"url": f"json://127.0.0.1:{receiver.port}/"}),
        "email": lambda: notifier.email(mail_server),
    }[kind]()
    await notifier.rule(channel)
    guarded = replace(notifier, config={"allow_private_networks": False})
    await guarded.created()
    assert (receiver.received, mail_server.mails) == ([], [])
    (entry,) = await notifier.log()
    assert entry["state"] == "failed"
    assert "private network" in str(entry["error"])
    assert (await notifier.got("POST", f"/channels/{channel}/test"))["delivered"] is True
