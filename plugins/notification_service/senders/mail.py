"""Email by SMTP."""

from __future__ import annotations

import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final

from plugin_kit.json_types import JsonObject

from .. import settings as read
from ..addresses import Network
from ..confinement import confined
from ..errors import DeliveryFailed, InvalidSettings
from ..message import Message
from . import tls

_SECONDS: Final = 8.0
_PORTS: Final = {"tls": 465, "starttls": 587, "none": 25}
_NO_STARTTLS: Final = "the mail server offers no STARTTLS: is security 'tls' meant, or another port?"
_KEYS: Final = ("host", "port", "security", "username", "password", "from", "to")


def target(settings: JsonObject) -> str:
    """Check the settings and return the host and the addresses."""
    read.only(settings, *_KEYS)
    read.text(settings, "host")
    _port(settings)
    for address in (read.text(settings, "from"), *read.texts(settings, "to")):
        _check_address(address)
    if ("username" in settings) != ("password" in settings):
        raise InvalidSettings("settings.password: write username and password, or neither")
    if "password" in settings:
        read.text(settings, "username")
        read.text(settings, "password")
        if _security(settings) == "none":
            raise InvalidSettings("settings.security: with a password, write 'tls' or 'starttls'")
    return f"{read.text(settings, 'host')}: {', '.join(read.texts(settings, 'to'))}"


def send(network: Network, settings: JsonObject, message: Message) -> None:
    """Send the message as plain text and HTML.

    Raises:
        DeliveryFailed: the mail server is not there, or did not take it; of what it said, the code alone is told.
    """
    host, port = read.text(settings, "host"), _port(settings)
    network.address_of(host, port)
    try:
        with confined(network), _connect(host, port, _security(settings)) as server:
            if "password" in settings:
                server.login(read.text(settings, "username"), read.text(settings, "password"))
            server.send_message(_mail(settings, message))
    except smtplib.SMTPRecipientsRefused as error:
        raise DeliveryFailed(f"the mail server refused all recipients: {_codes(error)}") from None
    except smtplib.SMTPResponseException as error:
        raise DeliveryFailed(f"the mail server answered {error.smtp_code}") from None
    except ssl.SSLError as error:
        raise DeliveryFailed(tls.reason(error)) from None
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryFailed(f"the mail server could not be reached or used ({type(error).__name__})") from None


def _connect(host: str, port: int, security: str) -> smtplib.SMTP:
    if security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=_SECONDS, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port, timeout=_SECONDS)
    if security == "starttls":
        try:
            server.starttls(context=ssl.create_default_context())
        except smtplib.SMTPNotSupportedError:
            server.close()
            raise DeliveryFailed(_NO_STARTTLS) from None
        except BaseException:
            server.close()
            raise
    return server


def _mail(settings: JsonObject, message: Message) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = message.title
    mail["From"] = read.text(settings, "from")
    mail["To"] = ", ".join(read.texts(settings, "to"))
    mail["Date"] = formatdate()
    mail["Message-ID"] = f"<{message.id}@notifications.invalid>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    return mail


def _security(settings: JsonObject) -> str:
    value = read.text(settings, "security", default="starttls")
    if value not in _PORTS:
        raise InvalidSettings(f"settings.security: write one of {', '.join(_PORTS)}")
    return value


def _port(settings: JsonObject) -> int:
    value = settings.get("port", _PORTS[_security(settings)])
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 65536:
        raise InvalidSettings("settings.port: write a number from 1 to 65535")
    return value


def _check_address(text: str) -> None:
    try:
        Address(addr_spec=text)
    except Exception:  # noqa: BLE001  # the parser raises what it likes, IndexError too
        raise InvalidSettings("settings.from and settings.to: write addresses such as me@example.org") from None


def _codes(error: smtplib.SMTPRecipientsRefused) -> str:
    return ", ".join(sorted({str(code) for code, _ in error.recipients.values()}))
