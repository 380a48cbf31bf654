"""Promises of how a client reaches decision points: several addresses, health, TLS, tokens."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from taskman_authz.client import TLS, AsyncClient, Client
from taskman_authz.errors import ArgumentError, UnauthorizedError, UnavailableError
from tests.client.conftest import QUESTION, abort, yes

PATIENCE = 30.0  # seconds until a test gives up waiting; nothing here takes one


def until(condition: Callable[[], bool]) -> None:
    """Ask again and again, each time something of a server, until it is so."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end


# -- several addresses -------------------------------------------------------------------------


def test_several_addresses_are_asked_in_turn(point):
    servers = [point(yes), point(yes), point(yes)]
    with Client([server.address for server in servers], timeout=PATIENCE) as client:

        def all_are_asked() -> bool:
            assert client.check(*QUESTION)
            return all(server.calls for server in servers)

        until(all_are_asked)
        before = [len(server.calls) for server in servers]
        for _ in range(30):
            client.check(*QUESTION)
        assert [len(s.calls) - n for s, n in zip(servers, before, strict=True)] == [10, 10, 10]


async def test_the_async_client_asks_several_addresses_too(point):
    servers = [point(yes), point(yes)]
    async with AsyncClient([server.address for server in servers], timeout=PATIENCE) as client:
        end = time.monotonic() + PATIENCE
        while not all(server.calls for server in servers):
            assert await client.check(*QUESTION)
            assert time.monotonic() < end


def test_a_name_is_asked_at_its_addresses(point):
    server = point(yes)
    port = server.address.rpartition(":")[2]
    with Client(f"dns:///localhost:{port}", timeout=PATIENCE) as client:
        assert client.check(*QUESTION)


def test_one_that_stops_is_no_longer_asked_and_nobody_notices(point):
    staying, leaving = point(yes), point(yes)
    with Client([leaving.address, staying.address], timeout=PATIENCE) as client:
        until(lambda: bool(client.check(*QUESTION)) and bool(leaving.calls and staying.calls))
        leaving.stop()
        for _ in range(50):
            assert client.check(*QUESTION)


def test_one_that_says_it_does_not_serve_is_not_asked(point):
    well, sick = point(yes), point(yes)
    with Client([well.address, sick.address], timeout=PATIENCE) as client:
        until(lambda: bool(client.check(*QUESTION)) and bool(well.calls and sick.calls))
        sick.tell_health(False)

        def ten_go_to_the_other() -> bool:
            before = len(sick.calls)
            for _ in range(10):
                assert client.check(*QUESTION)
            return len(sick.calls) == before

        until(ten_go_to_the_other)
        sick.tell_health(True)
        before = len(sick.calls)
        until(lambda: bool(client.check(*QUESTION)) and len(sick.calls) > before)


def test_none_that_serves_is_unavailable(point):
    servers = [point(yes), point(yes)]
    for server in servers:
        server.tell_health(False)
    with Client([server.address for server in servers], timeout=0.5) as client:
        with pytest.raises(UnavailableError):
            client.check(*QUESTION)


@pytest.mark.parametrize(
    "target",
    [[], ["pdp:1", "127.0.0.1:1"], ["[::1]:1", "127.0.0.1:1"], [5], 5, "", None]
    + ["127.0.0.1", "localhost", "https://127.0.0.1:50051", "http://pdp", "pdp:", "pdp:port"],
)
def test_addresses_that_are_none_or_that_grpc_cannot_balance_are_refused(target):
    with pytest.raises(ArgumentError, match="^target: expected "):
        Client(target)


# -- TLS -----------------------------------------------------------------------------------------


class Authority:
    """Signs certificates, and writes them to files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
        self.file = self.write("ca.pem", self.sign(self.name, self.key, []))

    def sign(self, name: x509.Name, key: Any, names: list[x509.GeneralName]) -> bytes:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.PEM)

    def write(self, name: str, data: bytes) -> Path:
        (self.folder / name).write_bytes(data)
        return self.folder / name

    def issue(self, name: str) -> tuple[Path, Path]:
        """The files of a certificate for a name, and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self.sign(subject, key, [x509.DNSName(name)])
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return self.write(f"{name}.pem", certificate), self.write(f"{name}.key", private)

    def server(self, name: str, client_ca: bool = False) -> grpc.ServerCredentials:
        certificate, key = self.issue(name)
        pair = (key.read_bytes(), certificate.read_bytes())
        ca = self.file.read_bytes() if client_ca else None
        return grpc.ssl_server_credentials([pair], ca, client_ca)


@pytest.fixture
def authority(tmp_path) -> Authority:
    return Authority(tmp_path)


def test_tls_is_spoken_with_who_has_a_certificate_of_that_authority(point, authority):
    server = point(yes, credentials=authority.server("localhost"))
    address = server.address.replace("127.0.0.1", "localhost")
    with Client(address, tls=TLS(ca=authority.file), timeout=PATIENCE) as client:
        assert client.check(*QUESTION)
    with Client(server.address, tls=TLS(ca=authority.file), timeout=1) as client:
        with pytest.raises(UnavailableError):  # the certificate is of another name
            client.check(*QUESTION)


def test_nobody_else_is_believed(point, authority, tmp_path):
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    server = point(yes, credentials=other.server("localhost"))
    address = server.address.replace("127.0.0.1", "localhost")
    with Client(address, tls=TLS(ca=authority.file), timeout=1) as client:
        with pytest.raises(UnavailableError):
            client.check(*QUESTION)
    assert not server.calls


async def test_a_name_may_be_given_that_the_certificate_must_have(point, authority):
    server = point(yes, credentials=authority.server("pdp.internal"))
    tls = TLS(ca=authority.file, server_name="pdp.internal")
    with Client([server.address, server.address], tls=tls, timeout=PATIENCE) as client:
        assert client.check(*QUESTION)
    async with AsyncClient(server.address, tls=tls, timeout=PATIENCE) as client:
        assert await client.check(*QUESTION)


def test_mtls_shows_our_own_certificate(point, authority):
    server = point(yes, credentials=authority.server("localhost", client_ca=True))
    certificate, key = authority.issue("pep")
    address = server.address.replace("127.0.0.1", "localhost")
    tls = TLS(ca=authority.file, certificate=certificate, key=key)
    with Client(address, tls=tls, timeout=PATIENCE) as client:
        assert client.check(*QUESTION)
    with Client(address, tls=TLS(ca=authority.file), timeout=1) as client:
        with pytest.raises(UnavailableError):
            client.check(*QUESTION)


@pytest.mark.parametrize(
    ("argument", "value"),
    [("tls", True), ("breaker", 5), ("interceptors", 5), ("limits", 5), ("tls", "ca.pem")],
)
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_arguments_that_are_something_else_are_refused(kind, argument, value):
    with pytest.raises(ArgumentError, match=f"^{argument}: expected "):
        kind("127.0.0.1:1", **{argument: value})


def test_files_that_are_none_are_refused(tmp_path):
    with pytest.raises(ArgumentError, match=r"^tls\.ca: expected the path of a PEM file"):
        TLS(ca=5)
    (tmp_path / "text").write_text("no certificate")
    with pytest.raises(ArgumentError, match=r"^tls\.ca: .*No such file"):
        Client(tls=TLS(ca=tmp_path / "nowhere"))
    with pytest.raises(ArgumentError, match=r"^tls\.ca: .*something else"):
        Client(tls=TLS(ca=tmp_path / "text"))
    with pytest.raises(ArgumentError, match="^tls: expected certificate and key"):
        TLS(certificate=tmp_path / "text")
    with pytest.raises(ArgumentError, match="^tls: expected `server_name`"):
        Client(["127.0.0.1:1", "127.0.0.1:2"], tls=TLS())


# -- tokens --------------------------------------------------------------------------------------


def test_a_token_goes_over_tls_and_a_function_is_asked_for_each_call(point, authority):
    server = point(yes, credentials=authority.server("localhost"))
    address = server.address.replace("127.0.0.1", "localhost")
    tokens = iter(["one", "two"])
    with Client(
        address, tls=TLS(ca=authority.file), token=lambda: next(tokens), timeout=PATIENCE
    ) as client:
        client.check(*QUESTION)
        client.check(*QUESTION)
        assert [call["authorization"] for call in server.calls] == ["Bearer one", "Bearer two"]
        with pytest.raises(UnavailableError, match="the function failed with StopIteration"):
            client.check(*QUESTION)
    assert len(server.calls) == 2


def test_a_token_goes_over_a_unix_socket(point, tmp_path):
    server = point(yes, address=f"unix:{tmp_path}/pdp.sock")
    with Client(server.address, token="secret", timeout=PATIENCE) as client:
        assert client.check(*QUESTION)
    assert server.calls[0]["authorization"] == "Bearer secret"


def test_a_token_does_not_travel_in_clear_text():
    with pytest.raises(ArgumentError, match="^token: expected `tls` too"):
        Client("127.0.0.1:50051", token="secret")


@pytest.mark.parametrize("token", ["", "two words", "line\n", "späť", 5])
def test_a_token_that_cannot_be_sent_is_refused_and_not_shown(tmp_path, token):
    address = f"unix:{tmp_path}/pdp.sock"
    with pytest.raises(ArgumentError, match="^token: ") as caught:
        Client(address, token=token)
    assert not token or str(token) not in str(caught.value)
    with Client(address, token=lambda: token) as client, pytest.raises(UnavailableError) as failed:
        client.check(*QUESTION)
    assert "no token" in str(failed.value)


@pytest.mark.parametrize("code", ["UNAUTHENTICATED", "PERMISSION_DENIED"])
def test_who_may_not_ask_learns_that_and_is_denied_with_an_error_in_the_log(serve, caplog, code):
    address = serve(abort(grpc.StatusCode[code], "no token"))
    with Client(address) as client, pytest.raises(UnauthorizedError) as caught:
        client.check(*QUESTION)
    assert "refused request" in str(caught.value)
    assert f"{code.lower()}: no token" in str(caught.value)
    with Client(address, on_unavailable="deny") as client:
        assert not client.check(*QUESTION)
    (line,) = caplog.records
    assert (line.levelname, "refused request" in line.getMessage()) == ("ERROR", True)
