"""POST to a URL of a user's, at an address that was checked, without following anything."""

from __future__ import annotations

import email.utils
import ssl
import time
from collections.abc import Mapping
from typing import Final

import urllib3

from ..addresses import Network
from ..confinement import confined
from ..errors import ChannelGone, DeliveryFailed
from ..settings import Url
from . import tls

_CONNECT_SECONDS: Final = 4.0
_READ_SECONDS: Final = 6.0
_HEADERS: Final = {"user-agent": "mcp-memory-server-notifications/1.0"}
_GONE: Final = 410
_LONGEST_RETRY_AFTER: Final = 24 * 3600.0


def post(network: Network, url: Url, body: bytes, headers: Mapping[str, str]) -> None:
    """Send ``body``. The answer's status counts, and its Retry-After; its body is not read.

    Raises:
        ChannelGone: the receiver answered 410.
        DeliveryRefused: the address is not allowed.
        DeliveryFailed: there was no answer, or another than 2xx. A redirect is one.
    """
    address = network.address_of(url.host, url.port)
    with _pool(url, address) as pool, confined(network):
        try:
            answer = pool.urlopen(
                "POST",
                url.path,
                body=body,
                headers={**_HEADERS, **headers, "host": url.authority},
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
            )
            answer.close()
        except urllib3.exceptions.HTTPError as error:
            raise DeliveryFailed(_reason(error)) from None
    _check(answer.status, answer.headers.get("retry-after"))


def _pool(url: Url, address: str) -> urllib3.HTTPConnectionPool:
    timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS)
    if not url.secure:
        return urllib3.HTTPConnectionPool(address, url.port, timeout=timeout)
    return urllib3.HTTPSConnectionPool(
        address,
        url.port,
        timeout=timeout,
        server_hostname=url.host,
        assert_hostname=url.host,
        ssl_context=ssl.create_default_context(),
    )


def _reason(error: urllib3.exceptions.HTTPError) -> str:
    """Return a sentence without the URL, which the library's own messages hold."""
    if isinstance(error, urllib3.exceptions.SSLError):
        return tls.reason(error.args[0])
    refused = isinstance(error, urllib3.exceptions.NewConnectionError)  # which the library also calls a timeout
    if isinstance(error, urllib3.exceptions.TimeoutError) and not refused:
        return "the receiver did not answer in time"
    return "the receiver could not be reached"


def _check(status: int, retry_after: str | None) -> None:
    if 200 <= status < 300:
        return
    if status == _GONE:
        raise ChannelGone("the receiver answered 410: it wants no more messages")
    if 300 <= status < 400:
        raise DeliveryFailed(f"the receiver answered {status}: redirects are not followed, set the URL that is meant")
    raise DeliveryFailed(f"the receiver answered {status}", retry_after=_seconds(retry_after))


def _seconds(retry_after: str | None) -> float:
    """Return the seconds of a Retry-After header, which has them or a date; 0 where it has neither."""
    if not retry_after:
        return 0.0
    if retry_after.strip().isdecimal():
        return min(float(retry_after), _LONGEST_RETRY_AFTER)
    try:
        moment = email.utils.parsedate_to_datetime(retry_after).timestamp()
    except (TypeError, ValueError):
        return 0.0
    return min(max(moment - time.time(), 0.0), _LONGEST_RETRY_AFTER)
