"""Promises of who may call what: by certificate, by socket, by method."""

from __future__ import annotations

import pytest

from tests.sidecar.asking import ask, ask_whole, connect
from tests.sidecar.authority import Authority, spiffe
from tests.sidecar.process import SERVING

pytestmark = pytest.mark.process

RULES = ("--allowed-callers", "Check=spiffe://test/ns/*", "--allowed-callers", "*=dns:admin.test")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def test_a_certificate_may_call_what_the_rules_give_its_names(authority, policies, start, tmp_path):
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    files = [*authority.issue().write(tmp_path), "--tls-client-ca", str(tmp_path / "ca.pem")]
    sidecar = start(policies, *files, *RULES)
    from cryptography.x509 import DNSName

    cases = {
        "OK OK": [DNSName("Admin.test")],
        "OK PERMISSION_DENIED": [spiffe("ns/web"), DNSName("web.test")],
        "PERMISSION_DENIED PERMISSION_DENIED": [spiffe("other/web")],
        # More than one URI is no SPIFFE identity.
        "UNAUTHENTICATED UNAUTHENTICATED": [spiffe("ns/web"), spiffe("ns/more")],
    }
    for expected, names in cases.items():
        with connect(sidecar.address, authority.pem, authority.issue(names)) as channel:
            assert f"{ask(channel)} {ask(channel, 'BatchCheck')}" == expected


def test_strangers_are_asked_who_they_are_and_health_is_answered(policies, start):
    sidecar = start(policies, *RULES)
    with connect(sidecar.address) as channel:
        status, message, _ = ask_whole(channel)
        assert (status, message) == (
            "UNAUTHENTICATED",
            "expected a caller that proves who it is",
        )
    assert sidecar.health("") == SERVING


def test_who_is_let_in_by_the_file_of_a_socket_has_its_name(policies, start, tmp_path):
    listen = f"unix://{tmp_path}/s"
    rules = ("--allowed-callers", "Check=unix")
    sidecar = start(policies, "--listen", "127.0.0.1:0", *rules, listen=listen)
    with connect(listen) as channel:
        assert (ask(channel), ask(channel, "BatchCheck")) == ("OK", "PERMISSION_DENIED")
    with connect(sidecar.addresses[1]) as channel:
        assert ask(channel) == "UNAUTHENTICATED"


def test_everybody_may_be_let_in_by_name(policies, start):
    sidecar = start(policies, "--allowed-callers", "Check=*")
    with connect(sidecar.address) as channel:
        assert (ask(channel), ask(channel, "BatchCheck")) == ("OK", "UNAUTHENTICATED")


def test_the_log_names_the_refused_method_and_status(policies, start):
    sidecar = start(policies, *RULES)
    with connect(sidecar.address) as channel:
        ask(channel)
    refused = sidecar.wait_for("call refused")
    assert (refused["method"], refused["status"]) == ("Check", "UNAUTHENTICATED")


def test_a_rule_may_name_the_face_of_a_method(policies, start):
    sidecar = start(
        policies,
        *("--allowed-callers", "ext_authz/Check=*", "--allowed-callers", "grpc/BatchCheck=*"),
    )
    with connect(sidecar.address) as channel:
        assert (ask(channel), ask(channel, "BatchCheck")) == ("UNAUTHENTICATED", "OK")
