"""The library `network`, with the standard library's `ipaddress` as the witness."""

from __future__ import annotations

import ipaddress
from ipaddress import ip_address, ip_interface, ip_network

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from taskman_authz.cel import CelType, ext
from taskman_authz.cel.ext.network import CIDR_TYPE, IP_TYPE
from tests.cel.ext.evaluating import env_of, error, refused, value

ENV = env_of(ext.NETWORK, x="dyn", text="string")
ADDRESSES = st.ip_addresses().filter(lambda one: one.version == 4 or one.ipv4_mapped is None)


@pytest.mark.parametrize("text, expected", [
    ("ip('127.0.0.1')", ip_address("127.0.0.1")),
    ("cidr('10.0.0.7/8')", ip_interface("10.0.0.7/8")),
    ("cidr('192.168.1.5/24').ip()", ip_address("192.168.1.5")),
    ("cidr('192.168.1.5/24').masked()", ip_interface("192.168.1.0/24")),
    ("cidr('192.168.1.5/24').masked() == cidr('192.168.1.0/24')", True),
    ("cidr('192.168.1.5/24') == cidr('192.168.1.0/24')", False),
    ("cidr('192.168.0.0/24').prefixLength()", 24),
    ("ip('2001:db8::1') == ip('2001:DB8:0::1')", True),
    ("dyn(ip('1.2.3.4')) == '1.2.3.4'", False),
    ("dyn(ip('1.2.3.4')) == dyn(cidr('1.2.3.4/32'))", False),
    ("ip('1.2.3.4') in [ip('1.2.3.5'), ip('1.2.3.4')]", True),
    ("string(ip('2001:DB8::1'))", "2001:db8::1"),
    ("string(cidr('::1/128'))", "::1/128"),
    ("string(1.5)", "1.5"),
    ("ip('1.2.3.4').family()", 4),
    ("ip('::1').family()", 6),
    ("type(ip('::1')) == net.IP && type(cidr('::1/128')) == net.CIDR", True),
    ("net.IP == net.CIDR", False),
    ("type(cidr('::1/128'))", CelType("net.CIDR")),
    ("ip.isCanonical('2001:db8::1')", True),
    ("ip.isCanonical('2001:DB8::1')", False),
    ("ip.isCanonical('2001:db8:0:0:0:0:0:1')", False),
    ("ip('0.0.0.0').isUnspecified() && ip('::').isUnspecified()", True),
    ("ip('127.9.9.9').isLoopback() && ip('::1').isLoopback()", True),
    ("ip('10.0.0.1').isGlobalUnicast() && ip('8.8.8.8').isGlobalUnicast()", True),
    ("['0.0.0.0', '127.0.0.1', '::', '::1'].exists(a, ip(a).isGlobalUnicast())", False),
    ("['255.255.255.255', '224.0.0.1', 'ff0e::1'].exists(a, ip(a).isGlobalUnicast())", False),
    ("['169.254.0.1', 'fe80::1'].exists(a, ip(a).isGlobalUnicast())", False),
    ("ip('224.0.0.9').isLinkLocalMulticast() && ip('ff32::1').isLinkLocalMulticast()", True),
    ("ip('224.0.1.9').isLinkLocalMulticast() || ip('ff05::1').isLinkLocalMulticast()", False),
    ("ip('169.254.1.1').isLinkLocalUnicast() && ip('febf::1').isLinkLocalUnicast()", True),
    ("cidr('10.0.0.0/8').containsIP('10.255.255.255')", True),
    ("cidr('10.9.9.9/8').containsIP(ip('10.0.0.0'))", True),
    ("cidr('10.0.0.0/8').containsIP('11.0.0.0')", False),
    ("cidr('0.0.0.0/0').containsIP('::1')", False),
    ("cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')", True),
    ("cidr('10.0.0.0/8').containsCIDR(cidr('10.0.0.0/8'))", True),
    ("cidr('10.0.0.0/8').containsCIDR('0.0.0.0/4')", False),
    ("cidr('10.0.0.0/8').containsCIDR('11.0.0.0/8')", False),
    ("cidr('10.0.0.0/8').containsCIDR('::1/128')", False),
])  # fmt: skip
def test_value(text, expected):
    assert value(ENV, text, x=0, text="") == expected


@pytest.mark.parametrize("text", [
    "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4:80", " 1.2.3.4", "1.2.3.4\n",
    "::ffff:1.2.3.4", "fe80::1%eth0", "1::2::3", "12345::", "not.an.ip", "١.2.3.4", "1.2.3.4/8",
])  # fmt: skip
def test_what_is_no_strict_address_is_none(text):
    literal = repr(text)
    assert value(ENV, f"isIP({literal})", x=0, text="") is False
    for call in (f"ip({literal})", f"ip.isCanonical({literal})"):
        assert error(ENV, call) == "invalid_argument"
    assert error(ENV, f"cidr('10.0.0.0/8').containsIP({literal})") == "invalid_argument"


@pytest.mark.parametrize("text", [
    "", "/", "1.2.3.4", "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/08", "1.2.3.4/+8", "1.2.3.4/-1",
    "::1/129", "1.2.3.4/255.0.0.0", "1.2.3.4/8/8", "/8", "::ffff:1.2.3.4/120", "fe80::1%a/64",
    "1.2.3.4/٨",
])  # fmt: skip
def test_what_is_no_strict_range_is_none(text):
    literal = repr(text)
    assert value(ENV, f"isCIDR({literal})", x=0, text="") is False
    assert error(ENV, f"cidr({literal})") == "invalid_argument"
    assert error(ENV, f"cidr('10.0.0.0/8').containsCIDR({literal})") == "invalid_argument"


@pytest.mark.parametrize("text, code", [
    ("dyn(1).family()", "no_such_overload"),
    ("dyn(cidr('::1/128')).family()", "no_such_overload"),
    ("dyn(ip('::1')).prefixLength()", "no_such_overload"),
    ("cidr('::1/128').containsIP(dyn(1))", "no_such_overload"),
    ("string(dyn([ip('::1')]))", "no_such_overload"),
    ("dyn(ip('::1')) < dyn(ip('::2'))", "no_such_overload"),
    ("dyn(ip('::1')).x", "no_such_overload"),
])  # fmt: skip
def test_error(text, code):
    assert error(ENV, text, x=0, text="") == code


def test_the_checker_knows_the_types():
    assert str(ENV.check("ip('::1')").type) == "net.IP"
    assert str(ENV.check("cidr('::1/128').masked()").type) == "net.CIDR"
    assert refused(ENV, "ip('::1').prefixLength()") == {"no_matching_overload"}
    assert refused(ENV, "ip('::1').x") == {"no_fields"}


def test_variables_may_have_the_types():
    env = env_of(ext.NETWORK, address=IP_TYPE, network=CIDR_TYPE)
    given = {"address": ip_address("10.1.2.3"), "network": ip_network("10.0.0.0/8")}
    assert value(env, "network.containsIP(address)", **given) is True


@pytest.mark.parametrize("given, expected", [
    (ip_address("10.0.0.7"), "10.0.0.7"),
    (ip_interface("10.0.0.7/8"), "10.0.0.7/8"),
    (ip_network("fe80::/10"), "fe80::/10"),
])  # fmt: skip
def test_objects_of_ipaddress_are_values(given, expected):
    assert value(ENV, "string(x)", x=given, text="") == expected
    assert value(ENV, "{'a': [x]}", x=given, text="") == {
        "a": [ip_interface(given) if "/" in expected else given]
    }


def test_an_object_that_no_text_could_write_is_unsupported():
    for text in ("::ffff:1.2.3.4", "fe80::1%eth0"):
        assert error(ENV, "x", x=ip_address(text), text="") == "unsupported_type"


@given(ADDRESSES)
def test_an_address_reads_back(address):
    text = str(address)
    assume("%" not in text)
    assert value(ENV, "ip(text)", x=0, text=text) == address
    assert value(ENV, "ip.isCanonical(text)", x=0, text=text) is True
    assert value(ENV, "string(ip(text)) == text", x=0, text=text) is True
    asked = {
        "isLoopback": address.is_loopback,
        "isUnspecified": address.is_unspecified,
        "isLinkLocalUnicast": address.is_link_local,
    }
    for name, expected in asked.items():
        assert value(ENV, f"ip(text).{name}()", x=0, text=text) is expected


@given(ADDRESSES, ADDRESSES, st.data())
def test_ranges_hold_what_ipaddress_says(first, second, data):
    length = data.draw(st.integers(0, first.max_prefixlen))
    inner = data.draw(st.integers(0, second.max_prefixlen))
    network = ip_network(f"{first}/{length}", strict=False)
    other = ip_network(f"{second}/{inner}", strict=False)
    expected = second in network
    assert value(ENV, "cidr(text).containsIP(x)", x=second, text=f"{first}/{length}") is expected
    same_family = network.version == other.version
    within = same_family and other.subnet_of(network)
    assert value(ENV, "cidr(text).containsCIDR(x)", x=other, text=f"{first}/{length}") is within


@given(st.text("0123456789abf:./", max_size=20))
def test_any_text_is_an_address_or_is_not(text):
    try:
        found = ipaddress.ip_address(text)
        expected = found.version == 4 or found.ipv4_mapped is None
    except ValueError:
        expected = False
    assert value(ENV, "isIP(text)", x=0, text=text) is expected
