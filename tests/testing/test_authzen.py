"""`authzen-check` finds what a decision point gets wrong, whatever it is."""

from __future__ import annotations

import json
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from taskman_authz.cli import main


class Careless(BaseHTTPRequestHandler):
    """A point that allows whatever it is asked, and knows neither ids nor errors."""

    protocol_version = "HTTP/1.1"
    tokens: list[str | None] = []

    def do_GET(self):
        self._answer(404, b"nothing here")

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.tokens.append(self.headers["Authorization"])
        self._answer(200, b'{"decision": true, "evaluations": [], "results": [{"id": "x"}]}')

    def _answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        """Nobody wants to know."""


@contextmanager
def serving(tls=None):
    """The port of a careless point."""
    Careless.tokens = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Careless)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def careless():
    with serving() as port:
        yield f"http://127.0.0.1:{port}"


def certificate(folder):
    """A certificate of localhost that signs itself, and its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file = folder / "point.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *form)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return str(file)


def test_over_https_only_a_certificate_that_is_trusted_is_talked_to(tmp_path, capsys):
    file = certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(file)
    with serving(tls) as port:
        assert main(["authzen-check", f"https://localhost:{port}"]) == 2
        assert "its certificate is not trusted (self-signed certificate)" in capsys.readouterr().err
        assert Careless.tokens == []
        assert main(["authzen-check", f"https://localhost:{port}", "--ca", file]) == 1
        assert "Basic Core: failed" in capsys.readouterr().out
    assert main(["authzen-check", f"https://localhost:{port}", "--ca", str(tmp_path / "no")]) == 2


def test_what_is_wrong_is_told_with_what_was_expected_and_found(careless, capsys):
    assert main(["authzen-check", careless]) == 1
    told = capsys.readouterr().out
    assert "Basic Core: failed (" in told
    wrong = """\
  2.2.2 bob does not write record-1; a no is 200
    expected `decision: false`
    found `decision: true`
"""
    assert wrong in told
    assert "  2.4.2 without `subject.type`\n    expected status 400\n    found status 200" in told
    assert "    expected 2 evaluations that decide any, any\n    found 0 evaluations" in told
    assert "    found a result that is no `user`" in told
    assert "Discovery: failed (" in told
    assert f"found status 404 at {careless}/.well-known/authzen-configuration" in told


def test_for_programs_it_is_json_with_every_check(careless, capsys):
    assert main(["authzen-check", careless, "--format", "json", "--token", "t0"]) == 1
    told = json.loads(capsys.readouterr().out)
    failed = {level["name"] for level in told["levels"] if not level["passed"]}
    assert len(failed) == 7
    checks = [check for level in told["levels"] for check in level["checks"]]
    assert {check["passed"] for check in checks} == {True, False}
    assert all(check["found"] for check in checks if not check["passed"])
    assert set(Careless.tokens) == {"Bearer t0"}


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "ftp://x", "nonsense", "http://h/?a=b"])
def test_what_cannot_be_asked_is_an_error(url, capsys):
    assert main(["authzen-check", url]) == 2
    said = capsys.readouterr().err
    assert said.startswith("taskman-authz: error: ")
    assert "Traceback" not in said
