"""No channel leads to a private network, to this machine or to a cloud's metadata, however the way there is written."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from plugins.notification_service.addresses import Network
from plugins.notification_service.errors import DeliveryFailed, DeliveryRefused, InvalidSettings

PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",  # noqa: S104
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:a00:1::",
]


def leading(*addresses: str, network: Network | None = None) -> Network:
    network = network or Network()
    return Network(network.allowed, all_private=network.all_private, resolve=lambda _host, _port: addresses)


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(DeliveryRefused, match="allow_private_networks"):
        leading(address).address_of("example.org", 443)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34", "64:ff9b::5db8:d822", "2002:5db8:d822::"]
)
def test_a_public_address_is_allowed(address: str) -> None:
    assert leading(address).address_of("example.org", 443) == address


def test_a_host_with_one_private_address_among_public_ones_is_refused() -> None:
    with pytest.raises(DeliveryRefused):
        leading("93.184.216.34", "10.0.0.1").address_of("example.org", 443)


@pytest.mark.parametrize(
    "host", ["localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "::1", "::ffff:7f00:1", "[::1]"]
)
def test_loopback_in_any_spelling_is_refused(host: str) -> None:
    with pytest.raises(DeliveryFailed) as raised:  # a spelling that the resolver does not know has no address
        Network().address_of(host, 80)
    assert isinstance(raised.value, DeliveryRefused) or host == "[::1]"


@pytest.mark.parametrize("setting", [["10.0.0.0/8"], True])
def test_the_operator_can_allow_private_networks(setting: bool | Sequence[str]) -> None:
    assert leading("10.1.2.3", network=Network.of(setting)).address_of("intra", 80) == "10.1.2.3"


def test_a_network_that_is_allowed_allows_no_other() -> None:
    with pytest.raises(DeliveryRefused):
        leading("192.168.0.1", network=Network.of(["10.0.0.0/8"])).address_of("intra", 80)


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254"])
def test_metadata_of_clouds_must_be_allowed_by_name(address: str) -> None:
    with pytest.raises(DeliveryRefused):
        leading(address, network=Network.of(True)).address_of("metadata", 80)


def test_loopback_that_is_allowed_is_so_in_its_mapped_form() -> None:
    network = Network.of(["127.0.0.0/8", "::ffff:0:0/96"])
    assert leading("::ffff:127.0.0.1", network=network).address_of("localhost", 80)


def test_what_is_no_network_is_named() -> None:
    with pytest.raises(InvalidSettings, match="allow_private_networks: 'mine'"):
        Network.of(["mine"])
