"""All services that Apprise knows, by their Apprise URLs (https://github.com/caronc/apprise/wiki)."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

from plugin_kit.json_types import JsonObject

from .. import settings as read
from ..addresses import Network
from ..confinement import confined
from ..errors import DeliveryFailed, DeliveryRefused, InvalidSettings
from ..message import Message

if TYPE_CHECKING:
    from apprise import Apprise

_SCHEMA: Final = re.compile(r"([a-z0-9_-]{1,32})://", re.IGNORECASE)
# They speak to a desktop, a device or a daemon of the machine that sends; XMPP from a thread that is not confined.
_NOT_SERVED: Final = frozenset(
    {"blink1", "dbus", "gio", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows", "xmpp", "xmpps"}
)
# What files of the machine would be read, and what the plugin itself decides.
_NOT_IN_URLS: Final = frozenset(
    {"attach", "cto", "keyfile", "optional", "pgp", "pgpprv", "pgppub", "redirect", "retry", "rto", "subfile", "wait"}
)


def target(settings: JsonObject) -> str:
    """Check the setting ``url`` and return its schema: all that follows may be a credential."""
    read.only(settings, "url")
    url = read.text(settings, "url")
    found = _SCHEMA.match(url)
    if found is None:
        raise InvalidSettings("settings.url: write an Apprise URL such as tgram://token/chat, percent-encoded")
    schema = found[1].lower()
    if schema in _NOT_SERVED:
        raise InvalidSettings(f"settings.url: {schema}:// would act on the machine that sends: it is not allowed")
    _check_parameters(url)
    apprise = _apprise()
    with confined(Network()) as refusals:
        taken = _add(apprise, url)
    if refusals or not taken:
        raise InvalidSettings(
            f"settings.url: Apprise does not take this {schema}:// URL: see https://github.com/caronc/apprise/wiki"
        )
    return f"{schema}://"


def send(network: Network, settings: JsonObject, message: Message) -> None:
    """Send the message as text; Apprise makes of it what the service takes, and escapes it.

    Raises:
        DeliveryRefused: the service is at an address that is not allowed, or does what is not allowed.
        DeliveryFailed: it did not take the message. Apprise does not tell why.
    """
    apprise = _apprise()
    with confined(network) as refusals:
        taken = _add(apprise, read.text(settings, "url")) and bool(
            apprise.notify(  # pyright: ignore[reportUnknownMemberType]  # a parameter of its is not typed
                body=message.text, title=message.title, body_format="text"
            )
        )
    if refusals and not taken:
        raise DeliveryRefused(refusals[0])
    if not taken:
        raise DeliveryFailed("the service did not take the message, or could not be reached")


def _apprise() -> Apprise:
    """Return an Apprise without services; the first call imports all that there are, which takes a second or two."""
    from apprise import Apprise, AppriseAsset
    from apprise.plugins import N_MGR

    logging.getLogger("apprise").disabled = True  # its lines hold URLs
    N_MGR.load_modules()  # pyright: ignore[reportUnknownMemberType]  # its parameters are not typed
    # Without a timeout of its own it sends in this thread, where it is confined.
    asset = AppriseAsset(storage_mode="memory", http_redirects=False, secure_logging=True, service_timeout=0)
    return Apprise(asset=asset)


def _add(apprise: Apprise, url: str) -> bool:
    return apprise.add(url) and len(apprise) == 1  # pyright: ignore[reportUnknownMemberType]  # as above


def _check_parameters(url: str) -> None:
    try:
        names = {name.lower().lstrip("+-:") for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
    except ValueError:
        raise InvalidSettings("settings.url: it is no URL") from None
    for name in sorted(names & _NOT_IN_URLS):
        raise InvalidSettings(f"settings.url: leave out the parameter {name!r}: it is not allowed here")
