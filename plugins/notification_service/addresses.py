"""Which addresses of the network a channel may lead to."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias, cast

from plugin_kit.json_types import JsonValue

from .errors import DeliveryFailed, DeliveryRefused, InvalidSettings

Address: TypeAlias = IPv4Address | IPv6Address
Resolve: TypeAlias = Callable[[str, int], Sequence[str]]
"""Returns all addresses of a host; raises OSError where it has none."""

_NAT64: Final = IPv6Network("64:ff9b::/96")
_HOW: Final = "the operator may allow it with allow_private_networks"


def resolve_all(host: str, port: int) -> Sequence[str]:
    """Return the addresses that the machine's resolver knows of ``host``."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


@dataclass(frozen=True, slots=True)
class Network:
    """The addresses that channels may lead to: the public internet, and ``allowed``.

    ``all_private`` allows private networks and loopback, but not link-local addresses, where clouds keep credentials:
    those must be named in ``allowed``.
    """

    allowed: tuple[IPv4Network | IPv6Network, ...] = ()
    all_private: bool = False
    resolve: Resolve = resolve_all

    @classmethod
    def of(cls, setting: JsonValue) -> Network:
        """Return the network that the config's ``allow_private_networks`` (a boolean, or CIDRs) describes.

        Raises:
            InvalidSettings: a text in it is no CIDR.
        """
        if setting is None or isinstance(setting, bool):
            return cls(all_private=bool(setting))
        try:
            return cls(allowed=tuple(ip_network(str(cidr)) for cidr in cast("Sequence[JsonValue]", setting)))
        except (TypeError, ValueError) as error:
            raise InvalidSettings(f"allow_private_networks: {error}: write networks such as 10.1.0.0/16") from None

    def address_of(self, host: str, port: int) -> str:
        """Return one address of ``host``, when every one that it has is allowed. It is resolved once: connect to this.

        Raises:
            DeliveryRefused: one of its addresses is not allowed.
            DeliveryFailed: the host has no address now.
        """
        try:
            found = self.resolve(host, port)
        except (OSError, UnicodeError):
            raise DeliveryFailed("the host's name has no address") from None
        if not found:
            raise DeliveryFailed("the host's name has no address")
        for address in found:
            self.check(address)
        return found[0]

    def check(self, text: str) -> None:
        """Raise DeliveryRefused where the IP address ``text`` is not allowed."""
        address = ip_address(text.partition("%")[0])  # %eth0: the zone of a link-local address
        if not all(self._allows(each) for each in (address, *_embedded(address))):
            raise DeliveryRefused(f"the host has an address of a private network or of this machine: {_HOW}")

    def _allows(self, address: Address) -> bool:
        if any(address in network for network in self.allowed):
            return True
        if address.is_link_local or address.is_multicast or address.is_unspecified:
            return False
        if _embedded(address):  # judged by the address that it stands for
            return True
        if isinstance(address, IPv6Address) and address.is_site_local:
            return self.all_private
        return address.is_global or (self.all_private and not address.is_reserved)


def is_address(text: str) -> bool:
    """Return whether ``text`` is an IP address, and no name."""
    try:
        ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def _embedded(address: Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses to which the IPv6 ``address`` leads by way of a gateway or of the socket itself."""
    if isinstance(address, IPv4Address):
        return ()
    teredo = address.teredo or ()
    nat64 = IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
    compatible = IPv4Address(int(address)) if 1 < int(address) < 1 << 32 else None
    return tuple(each for each in (address.ipv4_mapped, address.sixtofour, *teredo, nat64, compatible) if each)
