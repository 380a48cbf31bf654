"""Promises of which transport serves, and that it is said."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys

import pytest

from tests.sidecar.asking import ask, connect
from tests.sidecar.authority import Authority, spiffe
from tests.sidecar.process import FAST, PATIENCE
from tests.sidecar.test_running import fail

pytestmark = pytest.mark.process

# A process in which the module that is compiled cannot be imported.
WITHOUT = """
import sys
sys.modules["taskman_authz_sidecar.http2.session"] = None
from taskman_authz_sidecar.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("transport", ["grpcio", FAST])
def test_the_transport_that_is_asked_for_serves(policies, start, transport):
    sidecar = start(policies, "--transport", transport)
    assert sidecar.wait_for("serving")["transport"] == transport
    with connect(sidecar.address) as channel:
        assert ask(channel) == "OK"


@pytest.mark.parametrize("transport", [FAST])
def test_the_fast_one_serves_where_it_can_be_had_and_reflection_is_not_asked_for(
    policies, start, transport
):
    assert start(policies, "--transport", "auto").wait_for("serving")["transport"] == transport
    described = start(policies, "--transport", "auto", "--reflection", "true")
    assert described.wait_for("serving on grpcio")["why"] == "reflection is grpcio's alone"
    said = fail("--policies", str(policies), "--transport", transport, "--reflection", "true")
    assert said == "taskman-authz serve: error: --transport fast: reflection is grpcio's alone\n"


def without(*arguments: str) -> list[str]:
    return [sys.executable, "-c", WITHOUT, "--listen", "127.0.0.1:0", *arguments]


def test_where_it_was_not_compiled_grpcio_serves_and_it_is_said(policies):
    command = without("--policies", str(policies), "--transport", "auto")
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        said = ""
        while "transport" not in said:
            said = process.stderr.readline()
            assert said
            if "serving on grpcio" in said:
                assert "it was not compiled" in said
        assert "grpcio" in said
        process.terminate()
    done = subprocess.run(
        without("--policies", str(policies), "--transport", "fast"),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode and "--transport fast: it was not compiled" in done.stderr


@pytest.mark.parametrize("transport", [FAST])
def test_over_tls_the_fast_one_knows_the_names_of_certificates_and_speaks_only_http_2(
    policies, start, tmp_path, transport
):
    authority = Authority()
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    files = [*authority.issue().write(tmp_path), "--tls-client-ca", str(tmp_path / "ca.pem")]
    rules = ("--allowed-callers", "Check=spiffe://test/web")
    sidecar = start(policies, "--transport", transport, *files, *rules)
    for names, status in (([spiffe("web")], "OK"), ([spiffe("other")], "PERMISSION_DENIED")):
        with connect(sidecar.address, authority.pem, authority.issue(names)) as channel:
            assert ask(channel) == status
    context = ssl.create_default_context(cadata=authority.pem.decode())
    (tmp_path / "web.pem").write_bytes(b"".join(authority.issue([spiffe("web")])))
    context.load_cert_chain(tmp_path / "web.pem")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context.minimum_version = context.maximum_version = version
        for protocols, greets in ((["h2"], True), (["http/1.1"], False), ([], False)):
            context.set_alpn_protocols(protocols)
            host, _, port = sidecar.address.rpartition(":")
            with socket.create_connection((host, int(port)), PATIENCE) as plain:
                with context.wrap_socket(plain, server_hostname="localhost") as secured:
                    assert bool(secured.recv(1)) is greets


@pytest.mark.parametrize("transport", [FAST])
def test_at_a_unix_socket_a_rule_may_name_the_user(policies, start, tmp_path, transport):
    listen = f"unix://{tmp_path}/s"
    for name, status in ((f"uid:{os.getuid()}", "OK"), ("uid:12345", "PERMISSION_DENIED")):
        rules = ("--allowed-callers", f"Check={name}")
        sidecar = start(policies, "--transport", transport, *rules, listen=listen)
        with connect(listen) as channel:
            assert ask(channel) == status
        assert sidecar.stop() == 0
