"""Receivers on loopback: an HTTP server that answers as it is told, and a real SMTP server."""

from __future__ import annotations

import email
import email.policy
import ssl
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, TypeAlias, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

Security: TypeAlias = Literal["none", "starttls", "tls"]


@dataclass(frozen=True, slots=True)
class Received:
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class HttpReceiver:
    """Answers each POST after ``delay`` with the next of ``answers``: a status and headers, in the end 200."""

    url: str = ""
    port: int = 0
    received: list[Received] = field(default_factory=list[Received])
    delay: float = 0.0
    answers: list[tuple[int, Mapping[str, str]]] = field(default_factory=list[tuple[int, Mapping[str, str]]])

    @classmethod
    @contextmanager
    def running(cls, certificate: ssl.SSLContext | None = None) -> Generator[HttpReceiver]:
        receiver = cls()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                receiver.received.append(Received(self.path, dict(self.headers.items()), body))
                time.sleep(receiver.delay)
                status, headers = receiver.answers.pop(0) if receiver.answers else (200, dict[str, str]())
                self.send_response(status)
                for name, value in {**headers, "content-length": "2"}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"ok")

            do_GET = do_POST  # noqa: N815  # the base's name

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name of the base's
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            if certificate:
                server.socket = certificate.wrap_socket(server.socket, server_side=True)
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            receiver.port = server.server_address[1]
            receiver.url = f"{'https' if certificate else 'http'}://127.0.0.1:{receiver.port}"
            try:
                yield receiver
            finally:
                server.shutdown()
                thread.join()


@dataclass(slots=True)
class SmtpReceiver:
    """Takes every mail, or answers as ``refusal`` says; and every password, once the connection is encrypted."""

    security: Security = "none"
    host: str = "127.0.0.1"
    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list[EmailMessage])
    recipients: list[str] = field(default_factory=list[str])
    refusal: str | None = None
    connections: int = 0
    passwords: list[bytes] = field(default_factory=list[bytes])

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        if self.refusal is not None:
            return self.refusal
        content = cast(bytes, envelope.content)
        self.mails.append(email.message_from_bytes(content, policy=email.policy.default))
        self.recipients += envelope.rcpt_tos
        return "250 taken"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:  # noqa: ANN401, ARG002  # as the library calls it
        self.passwords.append(cast(LoginPassword, data).password)
        return AuthResult(success=True)

    @classmethod
    @contextmanager
    def running(cls, security: Security = "none", certificate: ssl.SSLContext | None = None) -> Generator[SmtpReceiver]:
        receiver = cls(security)
        tls: dict[Security, dict[str, Any]] = {
            "none": {},
            "starttls": {"tls_context": certificate, "require_starttls": True},
            "tls": {"ssl_context": certificate, "auth_require_tls": False},
        }

        class Counting(Controller):
            def factory(self) -> SMTP:
                receiver.connections += 1
                return super().factory()

        port = _free_port()
        controller = Counting(
            receiver, hostname=receiver.host, port=port, authenticator=receiver.authenticate, **tls[security]
        )
        receiver.port = port
        controller.start()
        receiver.connections = 0  # its start is one
        try:
            yield receiver
        finally:
            controller.stop()


def _free_port() -> int:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return server.server_address[1]
