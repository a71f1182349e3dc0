"""What is sent over TLS reaches receivers of trusted certificates alone, and no address that is not allowed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from plugin_kit.json_types import JsonObject
from plugins.notification_service.addresses import Network
from plugins.notification_service.errors import DeliveryRefused
from plugins.notification_service.message import Message
from plugins.notification_service.senders import mail
from tests.plugins.notification_service.certificates import Authority
from tests.plugins.notification_service.notifier import SECRET, Notifier
from tests.plugins.notification_service.receivers import HttpReceiver, Security, SmtpReceiver

ENCRYPTED: list[Security] = ["starttls", "tls"]
LOGIN: JsonObject = {"username": "ada", "password": "verysecret"}


@dataclass(frozen=True, slots=True)
class Servers:
    """Starts receivers that have certificates of ``authority``; they end with the test."""

    authority: Authority
    monkeypatch: pytest.MonkeyPatch
    running: ExitStack

    def mail(self, security: Security, *names: str, days: int = 1) -> SmtpReceiver:
        certificate = self.authority.server(*(names or ("127.0.0.1",)), days=days)
        return self.running.enter_context(SmtpReceiver.running(security, certificate))

    def web(self) -> HttpReceiver:
        return self.running.enter_context(HttpReceiver.running(self.authority.server("127.0.0.1")))

    def trust(self) -> None:
        """Let the machine trust the authority, as its operator would."""
        self.monkeypatch.setenv("SSL_CERT_FILE", str(self.authority.root))
        self.monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(self.authority.root))


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    with ExitStack() as running:
        yield Servers(Authority.made(tmp_path), monkeypatch, running)


@pytest.mark.parametrize("security", ENCRYPTED)
async def test_an_email_arrives_where_the_certificate_is_trusted(
    notifier: Notifier, servers: Servers, security: Security
) -> None:
    servers.trust()
    server = servers.mail(security)
    await notifier.rule(await notifier.email(server, **LOGIN))
    await notifier.created()
    (received,) = server.mails
    assert received["Subject"] == "Memory created in home"
    assert server.passwords == [b"verysecret"]
    assert [entry["state"] for entry in await notifier.log()] == ["sent"]


@pytest.mark.parametrize("security", ENCRYPTED)
async def test_an_email_waits_while_the_certificate_is_not_trusted_and_the_log_says_so(
    notifier: Notifier, servers: Servers, security: Security
) -> None:
    server = servers.mail(security)
    channel = await notifier.email(server, **LOGIN)
    await notifier.rule(channel)

    await notifier.created()

    (entry,) = await notifier.log()
    assert (entry["state"], entry["attempts"]) == ("waiting", 1)
    reason = "the certificate is not to be trusted: unable to get local issuer certificate"
    assert entry["error"] == reason
    assert await notifier.got("POST", f"/channels/{channel}/test") == {"delivered": False, "error": reason}
    assert (server.mails, server.passwords) == ([], [])

    servers.trust()
    await notifier.pass_time(70)
    assert len(server.mails) == 1
    assert [entry["state"] for entry in await notifier.log()] == ["sent"]


@pytest.mark.parametrize("security", ENCRYPTED)
@pytest.mark.parametrize(
    ("names", "days", "reason"),
    [
        (("example.org", "127.0.0.2"), 1, "IP address mismatch, certificate is not valid for '127.0.0.1'"),
        (("127.0.0.1",), -1, "certificate has expired"),
    ],
)
async def test_a_certificate_of_a_trusted_authority_must_be_for_the_host_and_in_its_time(
    notifier: Notifier, servers: Servers, security: Security, names: tuple[str, ...], days: int, reason: str
) -> None:
    servers.trust()
    server = servers.mail(security, *names, days=days)
    await notifier.rule(await notifier.email(server, **LOGIN))
    await notifier.created()
    (entry,) = await notifier.log()
    assert str(entry["error"]).startswith(f"the certificate is not to be trusted: {reason}")
    assert (server.mails, server.passwords) == ([], [])


async def test_a_mail_server_without_starttls_gets_nothing_in_the_clear(
    notifier: Notifier, mail_server: SmtpReceiver
) -> None:
    await notifier.rule(await notifier.email(mail_server, security="starttls", **LOGIN))
    await notifier.created()
    (entry,) = await notifier.log()
    assert (entry["state"], entry["error"]) == (
        "waiting",
        "the mail server offers no STARTTLS: is security 'tls' meant, or another port?",
    )
    assert (mail_server.mails, mail_server.passwords) == ([], [])


async def test_a_webhook_reaches_a_trusted_certificate_alone(notifier: Notifier, servers: Servers) -> None:
    receiver = servers.web()
    channel = await notifier.channel("webhook", {"url": receiver.url, "secret": SECRET})
    assert await notifier.got("POST", f"/channels/{channel}/test") == {
        "delivered": False,
        "error": "the certificate is not to be trusted: unable to get local issuer certificate",
    }
    servers.trust()
    assert (await notifier.got("POST", f"/channels/{channel}/test"))["delivered"] is True
    assert len(receiver.received) == 1


@pytest.mark.parametrize("security", ENCRYPTED)
async def test_a_mail_of_apprise_reaches_a_trusted_certificate_alone(
    notifier: Notifier, servers: Servers, security: Security
) -> None:
    server = servers.mail(security)
    await notifier.rule(await notifier.channel("apprise", {"url": apprise_url(server)}))
    await notifier.created()
    (entry,) = await notifier.log()
    assert (entry["state"], entry["error"]) == (
        "waiting",
        "the service did not take the message, or could not be reached",
    )
    assert server.mails == []
    servers.trust()
    await notifier.pass_time(70)
    assert len(server.mails) == 1


async def test_apprise_checks_no_certificate_where_its_user_says_so(notifier: Notifier, servers: Servers) -> None:
    server = servers.mail("starttls")
    channel = await notifier.channel("apprise", {"url": f"{apprise_url(server)}&verify=no"})
    assert (await notifier.got("POST", f"/channels/{channel}/test"))["delivered"] is True
    assert len(server.mails) == 1


async def test_a_service_of_apprise_over_https_must_have_a_trusted_certificate(
    notifier: Notifier, servers: Servers
) -> None:
    receiver = servers.web()
    channel = await notifier.channel("apprise", {"url": f"jsons://127.0.0.1:{receiver.port}/"})
    assert (await notifier.got("POST", f"/channels/{channel}/test"))["delivered"] is False
    assert receiver.received == []
    servers.trust()
    assert (await notifier.got("POST", f"/channels/{channel}/test"))["delivered"] is True


@pytest.mark.parametrize("security", ENCRYPTED)
@pytest.mark.parametrize("kind", ["email", "apprise"])
async def test_no_mail_over_tls_reaches_loopback_unless_it_is_allowed(
    notifier: Notifier, servers: Servers, security: Security, kind: str
) -> None:
    servers.trust()
    server = servers.mail(security)
    channel = await (
        notifier.email(server) if kind == "email" else notifier.channel("apprise", {"url": apprise_url(server)})
    )
    await notifier.rule(channel)
    await replace(notifier, config={"allow_private_networks": False}).created()
    (entry,) = await notifier.log()
    assert entry["state"] == "failed"
    assert "private network" in str(entry["error"])
    assert server.connections == 0


@pytest.mark.parametrize("security", ENCRYPTED)
def test_a_name_that_turns_private_after_it_was_checked_is_not_connected_to(
    servers: Servers, security: Security
) -> None:
    servers.trust()
    server = servers.mail(security, "localhost")
    settings: JsonObject = {
        "host": "localhost",
        "port": server.port,
        "security": security,
        "from": "memory@example.org",
        "to": ["ada@example.org"],
    }
    message = Message("1", "title", "text", "html", "mrkdwn", "test", "2026-11-25T12:00:00+00:00", [])
    with pytest.raises(DeliveryRefused, match="private network"):
        mail.send(Network(resolve=lambda _host, _port: ["93.184.216.34"]), settings, message)
    assert server.connections == 0


def apprise_url(server: SmtpReceiver) -> str:
    mode = "ssl" if server.security == "tls" else "starttls"
    addresses = "from=memory@example.org&to=ada@example.org"
    return f"mailtos://127.0.0.1:{server.port}/?{addresses}&mode={mode}"
