"""Which IP addresses a request may be sent to when somebody else's text says where (HOOK-7). Pure.

``ipaddress.is_global`` is not enough: it lets NAT64, 6to4, IPv4-compatible and multicast addresses pass. Sources: the IANA registries of
special-purpose addresses (RFC 6890, RFC 8190), and the providers' documents for metadata services.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from whatsapp_dashboard.errors import Invalid

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_HOST = 253


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


METADATA = _networks(
    "169.254.0.0/16",  # link-local: AWS, Google, Azure, DigitalOcean, Oracle, ECS credentials
    "fe80::/10",
    "fd00:ec2::/32",  # AWS over IPv6
    "fd20:ce::/32",  # Google over IPv6
    "fd00:42::/32",  # Scaleway
    "100.100.100.200/32",  # Alibaba
    "168.63.129.16/32",  # Azure's wire server
    "192.0.0.192/32",  # Oracle
)
"""Where clouds hand out credentials: never, whatever is allowed."""
PRIVATE = _networks(
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "100.64.0.0/10", "198.18.0.0/15", "fc00::/7", "::1/128"
)  # fmt: skip
"""Networks of one's own: an owner may allow them."""
_NEVER = _networks(
    "0.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16",
)  # fmt: skip
"""Not for traffic: this network, documentation, multicast, reserved, and protocol assignments (Teredo, ORCHID, benchmarking)."""
_GLOBAL_V6 = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")
_SIX_TO_FOUR = ip_network("2002::/16")
_ISATAP = 0x00005EFE
_HOST = re.compile(r"^(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*$")


class Verdict(StrEnum):
    """May an address be dialled?"""

    FINE = "fine"
    PRIVATE = "private"
    """Only when an owner allows it."""
    FORBIDDEN = "forbidden"


@dataclass(frozen=True)
class Allowed:
    """What owners allowed: names that may lead to private addresses, and private networks."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, values: Iterable[str]) -> Allowed:
        """Read entries as :func:`normalise` made them."""
        hosts, networks = set(), []
        for value in values:
            try:
                networks.append(ip_network(value))
            except ValueError:
                hosts.add(value)
        return cls(frozenset(hosts), tuple(networks))

    def covers(self, host: str, address: Address) -> bool:
        """Whether ``address``, found under the name ``host``, is allowed although it is private."""
        return host.rstrip(".").lower() in self.hosts or any(address in network for network in self.networks)


def judge(text: str, host: str, allowed: Allowed) -> Verdict:
    """Whether the address ``text``, to which ``host`` leads, may be dialled."""
    if "%" in text:  # an address with a zone is on the link
        return Verdict.FORBIDDEN
    try:
        address = ip_address(text)
    except ValueError:
        return Verdict.FORBIDDEN
    if isinstance(address, IPv6Address):
        inner = _inside(address)
        if inner is not None:
            verdict = _judge(inner)
            if address.ipv4_mapped is None:  # translated addresses of a private network are nobody's way to write them
                # An interface id says nothing of the network it stands in (ISATAP in fd00::/8).
                fine = verdict is Verdict.FINE and (address in _NAT64 or _judge(address) is Verdict.FINE)
                return Verdict.FINE if fine else Verdict.FORBIDDEN
            address = inner
    verdict = _judge(address)
    if verdict is Verdict.PRIVATE and allowed.covers(host, address):
        return Verdict.FINE
    return verdict


def normalise(value: str) -> str:
    """An entry of the allow list in its one form: a host name, an address or a network. Raises :class:`Invalid` for everything else."""
    text = value.strip().lower().rstrip(".")
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        if len(text) > MAX_HOST or not _HOST.match(text) or _is_number(text):
            raise Invalid(
                "This is neither a host name, an address nor a network. Write it like n8n.local, 192.168.1.20 or 10.0.0.0/8.", field="value"
            ) from None
        return text
    for never in METADATA:
        if network.version == never.version and network.overlaps(never):  # type: ignore[arg-type]
            if network.subnet_of(never):  # type: ignore[arg-type]
                raise Invalid("Clouds hand out credentials at this address; it is never reached.", field="value")
            break
    if not any(network.version == private.version and network.subnet_of(private) for private in PRIVATE):  # type: ignore[arg-type]
        raise Invalid("This is not a private network: public addresses need no permission, others are never reached.", field="value")
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def _judge(address: Address) -> Verdict:
    if _in(address, METADATA) or _in(address, _NEVER):
        return Verdict.FORBIDDEN
    if _in(address, PRIVATE):
        return Verdict.PRIVATE
    if isinstance(address, IPv6Address) and address not in _GLOBAL_V6:
        return Verdict.FORBIDDEN
    return Verdict.FINE


def _in(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def _inside(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for, by whatever way of writing it."""
    number = int(address)
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64 or (number >> 32 == 0 and number > 1):  # NAT64, and IPv4-compatible
        return IPv4Address(number & 0xFFFFFFFF)
    if address in _SIX_TO_FOUR:
        return IPv4Address(number >> 80 & 0xFFFFFFFF)
    if number >> 32 & 0xFDFFFFFF == _ISATAP:
        return IPv4Address(number & 0xFFFFFFFF)
    return None


def _is_number(text: str) -> bool:
    """Whether the system would take ``text`` for an IPv4 address in one of its old forms (2130706433, 0x7f.1, 0177.0.0.1)."""
    try:
        socket.inet_aton(text)
    except OSError:
        return False
    return True
