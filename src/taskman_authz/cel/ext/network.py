"""The library `network`: IP addresses and ranges of them (CIDR) as values.

Laws: a text is an address in its strict form only: no zone, no IPv4 address in IPv6 clothes, no
leading zeros. A range keeps the address that it was written with (`masked()` clears it). An
address is in no range of the other family.

A caller passes and is given the objects of the standard library's `ipaddress`: addresses, and
interfaces for ranges.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
)
from typing import Any

from ..._fast.access import add_finder
from ..._fast.values import CelType, Fault, ObjectValue
from ..constants import argument
from ..decls import VariableDecl
from ..functions import Implementation
from ..library import Library
from ..types import opaque_type, type_of
from .overloads import made, no_overload, takes

LATEST = 0

IP_TYPE = opaque_type("net.IP")
CIDR_TYPE = opaque_type("net.CIDR")

# fmt: off
OVERLOADS = """
0  ip                    string_to_ip                (string) -> net.IP()
0  ip                    cidr_ip                     net.CIDR().() -> net.IP()
0  ip.isCanonical        ip_is_canonical             (string) -> bool
0  isIP                  is_ip                       (string) -> bool
0  cidr                  string_to_cidr              (string) -> net.CIDR()
0  isCIDR                is_cidr                     (string) -> bool
0  string                ip_to_string                (net.IP()) -> string
0  string                cidr_to_string              (net.CIDR()) -> string
0  family                ip_family                   net.IP().() -> int
0  isUnspecified         ip_is_unspecified           net.IP().() -> bool
0  isLoopback            ip_is_loopback              net.IP().() -> bool
0  isGlobalUnicast       ip_is_global_unicast        net.IP().() -> bool
0  isLinkLocalMulticast  ip_is_link_local_multicast  net.IP().() -> bool
0  isLinkLocalUnicast    ip_is_link_local_unicast    net.IP().() -> bool
0  containsIP            cidr_contains_ip            net.CIDR().(net.IP()) -> bool
0  containsIP            cidr_contains_ip_string     net.CIDR().(string) -> bool
0  containsCIDR          cidr_contains_cidr          net.CIDR().(net.CIDR()) -> bool
0  containsCIDR          cidr_contains_cidr_string   net.CIDR().(string) -> bool
0  masked                cidr_masked                 net.CIDR().() -> net.CIDR()
0  prefixLength          cidr_prefix_length          net.CIDR().() -> int
"""
# fmt: on

TYPES = (
    VariableDecl("net.IP", type_of(IP_TYPE), CelType("net.IP")),
    VariableDecl("net.CIDR", type_of(CIDR_TYPE), CelType("net.CIDR")),
)


class IP(ObjectValue):
    """An address."""

    __slots__ = ("address",)

    def __init__(self, address: IPv4Address | IPv6Address) -> None:
        self.address = address

    @property
    def type_name(self) -> str:
        return "net.IP"

    def same_as(self, other: Any) -> bool:
        return type(other) is IP and other.address == self.address

    def plain(self) -> IPv4Address | IPv6Address:
        return self.address

    def __repr__(self) -> str:
        return f"ip('{self.address}')"


class CIDR(ObjectValue):
    """A range of addresses, and the address that it was written with."""

    __slots__ = ("interface",)

    def __init__(self, interface: IPv4Interface | IPv6Interface) -> None:
        self.interface = interface

    @property
    def type_name(self) -> str:
        return "net.CIDR"

    def same_as(self, other: Any) -> bool:
        return type(other) is CIDR and other.interface == self.interface

    def plain(self) -> IPv4Interface | IPv6Interface:
        return self.interface

    def __repr__(self) -> str:
        return f"cidr('{self.interface}')"


# -- from texts and from callers ----------------------------------------------------------------


def is_strict(address: Any) -> bool:
    """Whether an address has no zone and is no IPv4 address in IPv6 clothes."""
    return address.version == 4 or (address.scope_id is None and address.ipv4_mapped is None)


def read_address(text: str) -> IP | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return IP(address) if is_strict(address) else None


def read_range(text: str) -> CIDR | None:
    before, slash, length = text.rpartition("/")
    address = read_address(before)
    canonical = length.isascii() and length.isdigit() and (length == "0" or length[0] != "0")
    if address is None or not slash or not canonical or len(length) > 3:
        return None
    if int(length) > address.address.max_prefixlen:
        return None
    return CIDR(ip_interface(text))


def converter(kind: type) -> Callable[[Any], Any] | None:
    """What makes a value of the language of a caller's `ipaddress` objects."""
    if issubclass(kind, (IPv4Interface, IPv6Interface)):  # they are addresses too
        return lambda value: CIDR(value) if is_strict(value) else unsupported(value)
    if issubclass(kind, (IPv4Network, IPv6Network)):
        return lambda value: CIDR(ip_interface(value))
    if issubclass(kind, (IPv4Address, IPv6Address)):
        return lambda value: IP(value) if is_strict(value) else unsupported(value)
    return None


def unsupported(value: Any) -> Fault:
    return Fault("unsupported_type", (type(value).__name__,))


add_finder(converter)


def not_an_address(function: str) -> Fault:
    return Fault("invalid_argument", (function, "not an IP address"))


def not_a_range(function: str) -> Fault:
    return Fault("invalid_argument", (function, "not a range such as 10.0.0.0/8"))


# -- the functions ------------------------------------------------------------------------------


def ip(value: Any) -> Any:
    """The address that a text writes, or that a range was written with."""
    if type(value) is str:
        return read_address(value) or not_an_address("ip")
    return IP(value.interface.ip) if type(value) is CIDR else no_overload("ip", value)


@takes("cidr", (str,))
def cidr(text: str) -> Any:
    return read_range(text) or not_a_range("cidr")


@takes("isIP", (str,))
def is_ip(text: str) -> bool:
    return read_address(text) is not None


@takes("isCIDR", (str,))
def is_cidr(text: str) -> bool:
    return read_range(text) is not None


@takes("ip.isCanonical", (str,))
def is_canonical(text: str) -> Any:
    """Whether a text writes its address as RFC 5952 recommends."""
    found = read_address(text)
    return str(found.address) == text if found else not_an_address("ip.isCanonical")


@takes("string", (IP,), (CIDR,))
def string(value: Any) -> str:
    return str(value.plain())


@takes("family", (IP,))
def family(value: IP) -> int:
    """4 or 6"""
    return value.address.version


def question(function: str, holds: Callable[[Any], bool]) -> Implementation:
    """A function that asks something about an address."""

    @takes(function, (IP,))
    def asked(value: IP) -> bool:
        return holds(value.address)

    return asked


BROADCAST = IPv4Address("255.255.255.255")
LOCAL_MULTICAST = IPv4Network("224.0.0.0/24")


def is_global_unicast(address: Any) -> bool:
    """Neither of many nor of this host or link: private addresses too are global in this sense."""
    special = address.is_unspecified or address.is_loopback or address.is_multicast
    return not (special or address.is_link_local or address == BROADCAST)


def is_link_local_multicast(address: Any) -> bool:
    """224.0.0.0/24, or ff02::/16 with any flags."""
    if address.version == 4:
        return address in LOCAL_MULTICAST
    return bool(int(address) >> 112 & 0xFF0F == 0xFF02)


@takes("containsIP", (CIDR, IP), (CIDR, str))
def contains_ip(value: CIDR, other: Any) -> Any:
    """Whether the address is in the range."""
    address = read_address(other) if type(other) is str else other
    if address is None:
        return not_an_address("containsIP")
    return address.address in value.interface.network


@takes("containsCIDR", (CIDR, CIDR), (CIDR, str))
def contains_cidr(value: CIDR, other: Any) -> Any:
    """Whether all of the other range is in the range."""
    within = read_range(other) if type(other) is str else other
    if within is None:
        return not_a_range("containsCIDR")
    inner, outer = within.interface.network, value.interface.network
    return inner.prefixlen >= outer.prefixlen and inner.network_address in outer


@takes("masked", (CIDR,))
def masked(value: CIDR) -> CIDR:
    """The range with the first of its addresses."""
    return CIDR(ip_interface(value.interface.network))


@takes("prefixLength", (CIDR,))
def prefix_length(value: CIDR) -> int:
    return value.interface.network.prefixlen


IMPLEMENTATIONS: dict[tuple[str, int], Implementation] = {
    ("ip", 1): ip,
    ("ip.isCanonical", 1): is_canonical,
    ("isIP", 1): is_ip,
    ("cidr", 1): cidr,
    ("isCIDR", 1): is_cidr,
    ("string", 1): string,
    ("family", 1): family,
    ("isUnspecified", 1): question("isUnspecified", lambda address: address.is_unspecified),
    ("isLoopback", 1): question("isLoopback", lambda address: address.is_loopback),
    ("isGlobalUnicast", 1): question("isGlobalUnicast", is_global_unicast),
    ("isLinkLocalMulticast", 1): question("isLinkLocalMulticast", is_link_local_multicast),
    ("isLinkLocalUnicast", 1): question(
        "isLinkLocalUnicast", lambda address: address.is_link_local
    ),
    ("containsIP", 2): contains_ip,
    ("containsCIDR", 2): contains_cidr,
    ("masked", 1): masked,
    ("prefixLength", 1): prefix_length,
}


CONSTANTS = {
    "string_to_ip": argument(0, ip),
    "ip_is_canonical": argument(0, is_canonical),
    "string_to_cidr": argument(0, cidr),
    "cidr_contains_ip_string": argument(
        1, lambda text: read_address(text) or not_an_address("containsIP")
    ),
    "cidr_contains_cidr_string": argument(
        1, lambda text: read_range(text) or not_a_range("containsCIDR")
    ),
}


def library(version: int = LATEST) -> Library:
    """The library as of a version."""
    return made(
        "network", version, LATEST, OVERLOADS, IMPLEMENTATIONS, variables=TYPES, constants=CONSTANTS
    )
