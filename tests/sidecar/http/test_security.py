"""Over HTTP as over gRPC: TLS, callers by certificate, token or socket, and rates."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import stat
import subprocess
import sys

import pytest

from taskman_authz.cli import main
from tests.sidecar.authority import Authority, Issued, spiffe
from tests.sidecar.http.asking import EVALUATION, EVALUATIONS, JSON, ask
from tests.sidecar.http.conftest import FIXTURE, begin
from tests.sidecar.process import PATIENCE, Sidecar

pytestmark = pytest.mark.process

GOOD = {
    "subject": {"type": "user", "id": "alice"},
    "action": {"name": "read"},
    "resource": {"type": "record", "id": "record-1"},
}


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def secured(authority, tmp_path):
    """Starts a sidecar that answers in TLS."""
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    files = authority.issue().write(tmp_path)
    running: list[Sidecar] = []

    def start(*arguments: str) -> Sidecar:
        entities = ("--entities", str(FIXTURE / "entities"))
        running.append(begin(*files, *entities, *arguments))
        return running[-1]

    yield start
    for sidecar in running:
        sidecar.kill()


def connection(sidecar: Sidecar, ca: bytes, shown: Issued | None = None, folder=None):
    """A connection in TLS, that shows a certificate where there is one."""
    context = ssl.create_default_context(cadata=ca.decode())
    if shown is not None:
        file = folder / "shown.pem"
        file.write_bytes(shown.key + shown.certificate)
        context.load_cert_chain(file)
    return http.client.HTTPSConnection(sidecar.http[0], timeout=PATIENCE, context=context)


def test_every_level_passes_over_https_with_a_token(authority, secured, tmp_path, capsys):
    (tmp_path / "tokens").write_text("check t0-secret-of-a-test\n")
    sidecar = secured("--tokens", f"file:{tmp_path / 'tokens'}")
    url, ca = f"https://{sidecar.http[0]}", str(tmp_path / "ca.pem")
    assert main(["authzen-check", url, "--ca", ca, "--format", "json"]) == 1
    assert '"found": "status 401: ' in capsys.readouterr().out
    arguments = [url, "--ca", ca, "--token", "t0-secret-of-a-test", "--format", "json"]
    status = main(["authzen-check", *arguments])
    levels = json.loads(capsys.readouterr().out)["levels"]
    assert [c for level in levels for c in level["checks"] if not c["passed"]] == []
    assert (status, len(levels)) == (0, 7)


def test_every_level_passes_for_who_shows_a_certificate(authority, secured, tmp_path, capsys):
    ca, shown = str(tmp_path / "ca.pem"), tmp_path / "shown.pem"
    issued = authority.issue([spiffe("check")])
    shown.write_bytes(issued.key + issued.certificate)
    sidecar = secured("--tls-client-ca", ca, "--allowed-callers", "*=spiffe://test/*")
    url = f"https://{sidecar.http[0]}"
    assert main(["authzen-check", url, "--ca", ca]) == 2
    assert main(["authzen-check", url, "--ca", ca, "--cert", str(shown)]) == 0, (
        capsys.readouterr().out
    )


def test_a_caller_may_call_what_a_rule_gives_it(authority, secured, tmp_path):
    sidecar = secured(
        *("--tls-client-ca", str(tmp_path / "ca.pem")),
        *("--allowed-callers", "http/evaluation=spiffe://test/web"),
    )
    web, other = authority.issue([spiffe("web")]), authority.issue([spiffe("other")])
    one = connection(sidecar, authority.pem, web, tmp_path)
    assert ask("", EVALUATION, GOOD, connection=one).body["decision"] is True
    answer = ask("", EVALUATIONS, GOOD, connection=one)
    assert (answer.status, answer.body) == (403, "evaluations is not for this caller")
    two = connection(sidecar, authority.pem, other, tmp_path)
    assert ask("", EVALUATION, GOOD, connection=two).status == 403
    stranger = connection(sidecar, authority.pem)
    with pytest.raises(OSError):
        ask("", EVALUATION, GOOD, connection=stranger)
    for each in (one, two, stranger):
        each.close()


def test_who_proves_no_name_is_told_how_to(authority, secured, tmp_path):
    (tmp_path / "tokens").write_text("check t0-secret-of-a-test\n")
    sidecar = secured("--tokens", f"file:{tmp_path / 'tokens'}")
    used = connection(sidecar, authority.pem)
    for headers in (JSON, {**JSON, "Authorization": "Bearer wrong"}):
        answer = ask("", EVALUATION, GOOD, headers, used)
        assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    token = {**JSON, "Authorization": "Bearer t0-secret-of-a-test"}
    assert ask("", EVALUATION, GOOD, token, used).status == 200
    used.close()


def test_a_new_certificate_is_answered_with(authority, secured, tmp_path):
    sidecar = secured()
    before = ssl.get_server_certificate(("127.0.0.1", port(sidecar)), timeout=PATIENCE)
    authority.issue().write(tmp_path)
    sidecar.wait_for("certificate loaded")
    after = ssl.get_server_certificate(("127.0.0.1", port(sidecar)), timeout=PATIENCE)
    assert before != after


def port(sidecar: Sidecar) -> int:
    return int(sidecar.http[0].rpartition(":")[2])


def test_who_does_not_speak_tls_is_dropped(authority, secured):
    sidecar = secured("--http-timeout", "0.3")
    with socket.create_connection(("127.0.0.1", port(sidecar)), timeout=PATIENCE) as plain:
        plain.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200" not in plain.recv(1_000)
    with socket.create_connection(("127.0.0.1", port(sidecar)), timeout=PATIENCE) as silent:
        assert silent.recv(1) == b""
    used = connection(sidecar, authority.pem)
    assert ask("", "/health/live", connection=used).status == 200
    used.close()


def test_who_asks_too_often_is_told_when_to_come_again():
    sidecar = begin("--rate-limit", "0.01", "--rate-burst", "1")
    try:
        assert ask(sidecar.http[0], EVALUATION, GOOD).status == 200
        answer = ask(sidecar.http[0], EVALUATION, GOOD)
        assert answer.status == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 100
        assert ask(sidecar.http[0], "/health/ready").status == 200
    finally:
        sidecar.kill()


def test_a_unix_socket_is_for_whom_its_file_lets_in_and_needs_no_tls(secured, tmp_path):
    path = tmp_path / "http.sock"
    sidecar = secured(
        *("--http-listen", f"unix://{path}", "--unix-socket-mode", "0660"),
        *("--allowed-callers", "evaluation=unix"),
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    used = http.client.HTTPConnection("pdp")
    used.sock = socket.socket(socket.AF_UNIX)
    used.sock.connect(str(path))
    assert ask("", EVALUATION, GOOD, connection=used).status == 200
    assert ask("", EVALUATIONS, GOOD, connection=used).status == 403
    used.close()
    assert len(sidecar.http) == 2


def test_nothing_is_answered_in_the_clear_beyond_this_machine():
    command = [sys.executable, "-m", "taskman_authz_sidecar", "--policies"]
    command += [str(FIXTURE / "policies"), "--listen", "127.0.0.1:0"]
    done = subprocess.run(
        [*command, "--http-listen", "0.0.0.0:0"], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 2
    assert "--http-listen 0.0.0.0:0: it can be reached from other machines" in done.stderr
