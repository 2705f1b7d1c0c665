"""Which addresses may be dialled when somebody else's text says where (HOOK-7)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsapp_dashboard.core.addresses import PRIVATE, Allowed, Verdict, judge, normalise
from whatsapp_dashboard.errors import Invalid

NOTHING = Allowed()
EVERYTHING = Allowed.parse(str(network) for network in PRIVATE)

FINE = ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
OWN = ["10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.1.1", "127.0.0.1", "127.1.2.3", "100.64.0.1", "198.18.0.1",
       "::1", "fc00::1", "fd12:3456::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1"]  # fmt: skip
NEVER = [
    "fd00::5efe:808:808", "fd00:ec2::5efe:808:808", "fe80::200:5efe:808:808",
    "0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192", "192.0.2.1",
    "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "fe80::1", "fe80::1%eth0",
    "fec0::1", "ff02::1", "fd00:ec2::254", "2001:db8::1", "2001::1", "::127.0.0.1", "::10.0.0.1", "64:ff9b::a00:1", "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1", "2002:a00:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::", "::ffff:169.254.169.254", "::ffff:0.0.0.0",
    "2606:2800::5efe:10.0.0.1", "2606:2800::200:5efe:7f00:1", "::ffff:0:10.0.0.1", "100::1", "5f00::1", "not an address", "",
]  # fmt: skip


@pytest.mark.parametrize("address", FINE)
def test_public_addresses_are_fine_in_every_form(address: str) -> None:
    """Also those an IPv6-only network makes of IPv4 addresses."""
    assert judge(address, "example.org", NOTHING) is Verdict.FINE


@pytest.mark.parametrize("address", OWN)
def test_addresses_of_ones_own_network_need_permission(address: str) -> None:
    """By the name, by the address or by its network."""
    assert judge(address, "shop.local", NOTHING) is Verdict.PRIVATE
    assert judge(address, "shop.local", EVERYTHING) is Verdict.FINE
    assert judge(address, "Shop.Local.", Allowed.parse(["shop.local"])) is Verdict.FINE
    assert judge(address, "other.local", Allowed.parse(["shop.local"])) is Verdict.PRIVATE


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_reached_whatever_is_allowed(address: str) -> None:
    """Metadata services, multicast, reserved, and private ones in disguise."""
    assert judge(address, "shop.local", NOTHING) is Verdict.FORBIDDEN
    assert judge(address, "shop.local", Allowed(EVERYTHING.hosts | {"shop.local"}, EVERYTHING.networks)) is Verdict.FORBIDDEN


@given(st.ip_addresses(network="10.0.0.0/8") | st.ip_addresses(network="fc00::/8") | st.ip_addresses(network="127.0.0.0/8"))
def test_no_private_address_passes_unasked(address: object) -> None:
    """Over whole networks."""
    assert judge(str(address), "x", NOTHING) is not Verdict.FINE


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        (" N8N.local. ", "n8n.local"),
        ("192.168.1.20", "192.168.1.20"),
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("::1", "::1"),
        ("localhost", "localhost"),
    ],
)
def test_an_entry_has_one_form(given_text: str, kept: str) -> None:
    """So that it is found again."""
    assert normalise(given_text) == kept
    assert normalise(kept) == kept


@pytest.mark.parametrize(
    "bad",
    ["", "8.8.8.8", "0.0.0.0/0", "::/0", "169.254.169.254", "169.254.0.0/16", "fe80::/10", "0.0.0.0", "224.0.0.0/4", "2130706433", "0x7f.1",
     "127.1", "a b", "http://n8n.local/", "*.local", "-x.local", "x" * 300, "10.0.0.0/33"],
)  # fmt: skip
def test_what_must_not_be_allowed_is_refused_with_a_sentence(bad: str) -> None:
    """Public needs no entry, metadata gets none, and everything at once is nothing anybody means."""
    with pytest.raises(Invalid) as refused:
        normalise(bad)
    assert refused.value.field == "value"
    assert refused.value.message.endswith(".")
