"""Promises of TLS: who does not prove to be of the authority is not let in, and certificates are
replaced while callers are connected."""

from __future__ import annotations

import grp
import os
import socket
import ssl
import stat
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tests.sidecar.asking import ask, connect
from tests.sidecar.authority import Authority
from tests.sidecar.process import NOT_SERVING, PATIENCE, SERVING
from tests.sidecar.test_running import fail

pytestmark = pytest.mark.process

SECURITY = "taskman_authz.security"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def mutual(authority, policies, start, tmp_path):
    """A sidecar that answers in TLS, to callers of the authority."""
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    files = authority.issue().write(tmp_path)
    return start(policies, *files, "--tls-client-ca", str(tmp_path / "ca.pem"))


def shown_certificate(address: str) -> str:
    """What a server shows to whoever connects."""
    host, _, port = address.rpartition(":")
    return ssl.get_server_certificate((host, int(port)), timeout=PATIENCE)


def test_it_answers_in_tls_to_who_trusts_its_authority(authority, policies, start, tmp_path):
    sidecar = start(policies, *authority.issue().write(tmp_path))
    with connect(sidecar.address, authority.pem) as channel:
        assert ask(channel) == "OK"
    with connect(sidecar.address, Authority().pem) as channel:
        assert ask(channel) == "UNAVAILABLE"
    with connect(sidecar.address) as channel:
        assert ask(channel) == "UNAVAILABLE"


@pytest.mark.parametrize(
    "key", [rsa.generate_private_key(65_537, 2_048), ec.generate_private_key(ec.SECP384R1())]
)
def test_it_answers_with_keys_of_the_kinds_that_it_takes(authority, policies, start, tmp_path, key):
    sidecar = start(policies, *authority.issue(key=key).write(tmp_path))
    with connect(sidecar.address, authority.pem) as channel:
        assert ask(channel) == "OK"


def test_only_callers_of_the_authority_are_let_in(authority, mutual):
    for shown, status in [
        (authority.issue(common_name="web"), "OK"),
        (Authority().issue(common_name="web"), "UNAVAILABLE"),
        (authority.issue(common_name="web", lasts=timedelta(minutes=-1)), "UNAVAILABLE"),
        (None, "UNAVAILABLE"),
    ]:
        with connect(mutual.address, authority.pem, shown) as channel:
            assert ask(channel) == status


def test_tls_before_1_2_is_not_spoken(authority, policies, start, tmp_path):
    sidecar = start(policies, *authority.issue().write(tmp_path))
    host, _, port = sidecar.address.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")  # or this side would speak no older version
    with pytest.warns(DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection((host, int(port)), PATIENCE) as connection:
        with pytest.raises(ssl.SSLError, match="(?i)protocol"):
            context.wrap_socket(connection)


def test_a_new_certificate_is_shown_while_callers_stay_connected(authority, mutual, tmp_path):
    web = authority.issue(common_name="web")
    with connect(mutual.address, authority.pem, web) as connected:
        assert ask(connected) == "OK"
        newer = authority.issue()
        newer.write(tmp_path)
        mutual.wait_for("certificate loaded")
        assert ask(connected) == "OK"
        assert ssl.PEM_cert_to_DER_cert(shown_certificate(mutual.address)) == (
            ssl.PEM_cert_to_DER_cert(newer.certificate.decode())
        )
        with connect(mutual.address, authority.pem, web) as channel:
            assert ask(channel) == "OK"


def test_a_new_authority_is_that_of_the_next_connections(authority, mutual, tmp_path):
    other = Authority()
    (tmp_path / "ca.pem").write_bytes(other.pem)
    mutual.wait_for("certificate loaded")
    with connect(mutual.address, authority.pem, other.issue()) as channel:
        assert ask(channel) == "OK"
    with connect(mutual.address, authority.pem, authority.issue()) as channel:
        assert ask(channel) == "UNAVAILABLE"


def test_a_bad_certificate_leaves_the_last_good_one_and_shows(authority, policies, start, tmp_path):
    # Health is asked in the clear, at the socket.
    good = authority.issue()
    files = good.write(tmp_path)
    listen = f"unix://{tmp_path}/s"
    sidecar = start(policies, "--listen", "127.0.0.1:0", *files, listen=listen)
    bad = {
        "--tls-key: the key of another certificate": (authority.issue()[0], good[1]),
        "--tls-cert: expired at": authority.issue(lasts=timedelta(minutes=-1)),
        "--tls-cert: expected certificates in PEM": (b"torn", good[1]),
    }
    for count, (why, pair) in enumerate(bad.items(), 1):
        good._make(pair).write(tmp_path)
        told = sidecar.wait_for("certificate refused, the last good one stays", count)
        assert told["why"].startswith(why)
        sidecar.wait_for_health(SECURITY, NOT_SERVING)
    with connect(sidecar.addresses[1], authority.pem) as channel:
        assert ask(channel) == "OK"
    good.write(tmp_path)
    sidecar.wait_for_health(SECURITY, SERVING)


def test_it_does_not_start_with_a_bad_certificate(authority, policies, tmp_path):
    good, other = authority.issue(), authority.issue()
    expired = authority.issue(lasts=timedelta(minutes=-1))
    unspoken = authority.issue(key=ed25519.Ed25519PrivateKey.generate())
    for pair, why in [
        (unspoken, "--tls-cert: expected a key of RSA (2048 bits or more), P-256 or P-384"),
        (expired, "--tls-cert: expired at 20"),
        ((good[0], other[1]), "--tls-key: the key of another certificate than that of --tls-cert"),
        ((b"", good[1]), "--tls-cert: expected certificates in PEM"),
        ((good[0], b"secret"), "--tls-key: expected a private key in PEM"),
    ]:
        said = fail("--policies", str(policies), *good._make(pair).write(tmp_path))
        assert said.startswith(f"taskman-authz serve: error: {why}")
        assert "secret" not in said
    said = fail("--policies", str(policies), "--tls-cert", str(tmp_path / "cert.pem"))
    assert said == "taskman-authz serve: error: TLS needs both --tls-cert and --tls-key\n"
    files = ["--tls-cert", str(tmp_path / "none"), "--tls-key", str(tmp_path / "key.pem")]
    assert "none: no such file or directory" in fail("--policies", str(policies), *files)


def test_a_key_that_everybody_can_read_is_told(authority, policies, start, tmp_path):
    files = authority.issue().write(tmp_path)
    (tmp_path / "key.pem").chmod(0o644)
    sidecar = start(policies, *files)
    sidecar.wait_for("everybody on this machine can read the private key")


def test_beyond_this_machine_nothing_is_answered_in_the_clear(authority, policies, start, tmp_path):
    for address in ("0.0.0.0:0", "[::]:0", "127.0.0.1.example.org:0"):
        said = fail("--policies", str(policies), "--listen", address)
        assert said.startswith(f"taskman-authz serve: error: --listen {address}: it can be reached")
    start(policies, "--insecure", "true", listen="0.0.0.0:0")
    start(policies, *authority.issue().write(tmp_path), listen="0.0.0.0:0")


def test_a_unix_socket_lets_in_whom_its_file_does(policies, start, tmp_path):
    for options, mode in [((), 0o600), (("--unix-socket-mode", "0660"), 0o660)]:
        path = tmp_path / f"s{mode}"
        group = ("--unix-socket-group", grp.getgrgid(os.getgid()).gr_name)
        start(policies, *options, *group, listen=f"unix://{path}")
        found = path.stat()
        assert (stat.S_IMODE(found.st_mode), found.st_gid) == (mode, os.getgid())


def test_a_group_that_is_none_is_refused(policies):
    said = fail("--policies", str(policies), "--unix-socket-group", "no-such-group")
    assert "--unix-socket-group: there is no group `no-such-group`" in said
