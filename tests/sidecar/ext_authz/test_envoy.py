"""What a real Envoy does with our answers: requests of real clients to a real upstream."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.sidecar.ext_authz import envoy as real
from tests.sidecar.ext_authz.tables import POLICIES, ROUTES
from tests.sidecar.process import Sidecar

pytestmark = pytest.mark.process

EDIT = "/projects/p1/tasks/7"


class Front(NamedTuple):
    """Envoy, and who issues tokens."""

    envoy: real.Envoy
    issuer: real.Issuer

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.envoy.ports["front"]

    def ask(self, method: str, path: str, *headers: tuple[str, str], **claims) -> real.Answer:
        """The answer to a request with these headers, and a token of the claims if any."""
        token = [("authorization", f"Bearer {self.issuer.token(**claims)}")] if claims else []
        return real.ask(self.port, method, path, [*token, *headers])

    def developer(self, method: str, path: str, *headers: tuple[str, str]) -> real.Answer:
        """The answer to Ann, who may."""
        claims = {"sub": "ann", "roles": ["developer"], "department": "engineering"}
        return self.ask(method, path, *headers, **claims)


def reached(answer: real.Answer) -> dict[str, list[str]]:
    """The headers that reached the upstream: all values by name."""
    assert answer.status == 200, answer
    found: dict[str, list[str]] = {}
    for name, value in answer.json["headers"]:
        found.setdefault(name, []).append(value)
    return found


def sidecar_of(folder: Path, *arguments: str) -> Sidecar:
    (folder / "policies").mkdir()
    (folder / "policies" / "p.yaml").write_text(POLICIES)
    (folder / "routes.yaml").write_text(ROUTES)
    routes = ("--ext-authz-routes", str(folder / "routes.yaml"))
    trusted = ("--ext-authz-trusted-header", "x-user")
    return Sidecar(folder / "policies", *routes, *trusted, *arguments)


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """Envoy before an upstream, with tokens verified and the sidecar asked."""
    folder = tmp_path_factory.mktemp("envoy")
    sidecar = sidecar_of(folder)
    try:
        issuer = real.Issuer()
        filters = [real.jwt_authn(issuer), real.ext_authz()]
        with real.upstream() as port:
            clusters = [
                real.cluster("upstream", port),
                real.grpc_cluster("sidecar", port_of(sidecar.address)),
            ]
            config = real.config([real.listener("front", filters)], clusters)
            envoy = real.Envoy(config, folder)
            try:
                yield Front(envoy, issuer)
            finally:
                envoy.end()
    finally:
        sidecar.kill()


def test_who_may_reaches_the_upstream_which_is_told_who_it_is(front):
    headers = reached(front.developer("PUT", EDIT))
    assert headers["x-taskman-subject"] == ["user:ann"]
    assert len(headers["x-taskman-revision"]) == 1


def test_who_may_not_gets_403_with_a_problem(front):
    answer = front.developer("PUT", "/projects/p2/tasks/7")
    assert answer.status == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["reasons"] == [{"code": "condition_not_met"}]


def test_nobody_gets_401_with_a_challenge(front):
    answer = front.ask("PUT", EDIT)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json["reasons"] == [{"code": "no_subject"}]


def test_a_token_of_somebody_else_is_refused_before_the_sidecar_is_asked(front):
    token = real.Issuer().token(sub="ann", roles=["developer"], department="engineering")
    answer = front.ask("PUT", EDIT, ("authorization", f"Bearer {token}"))
    assert answer.status == 401
    assert "invalid_token" in answer.headers["www-authenticate"]


def test_what_clients_forge_never_reaches_the_upstream(front):
    forged = [
        *(("x-taskman-subject", f"user:{name}") for name in ("root", "admin")),
        *(("X_Taskman_Subject", "user:root"), ("x-taskman_revision", "0")),
        *(("X-Original-URL", "/admin"), ("X-HTTP-Method-Override", "DELETE")),
    ]
    for answer in (front.developer("PUT", EDIT, *forged), front.ask("GET", "/health", *forged)):
        headers = reached(answer)
        assert headers.get("x-taskman-subject", ["user:ann"]) == ["user:ann"]
        assert not {name for name in headers if "_" in name or "original-url" in name}
        assert "x-http-method-override" not in headers
    assert "x-taskman-subject" not in headers


def test_a_public_path_needs_no_token(front):
    assert front.ask("GET", "/health?of=nobody").status == 200
    told = front.envoy.told("/health?of=nobody")
    assert told == {"decision": "public", "route": "GET /health"}


@pytest.mark.parametrize(
    "path",
    [
        "//health",
        "/x/../health",
        "/health/.",
        "/health%2F",
        "/%2e%2e/health",
        "/health;a",
        "/health/",
    ]
    + ["/%68ealth", "/HEALTH", "/nowhere", "/projects/p1/tasks/7/", "/projects/p1%2Ftasks/7"],
)
def test_no_other_spelling_of_a_path_goes_through(front, path):
    assert front.ask("GET", path).status in (400, 401, 403)
    assert front.developer("PUT", path).status in (400, 403)


def test_access_logs_learn_what_was_decided(front):
    front.developer("PUT", f"{EDIT}?logged")
    told = front.envoy.told(f"{EDIT}?logged")
    assert told["decision"] == "allow"
    assert told["policies"] == ["developers-edit-their-own"]
    assert told["route"] == "PUT /projects/{project}/tasks/{id}"
    front.developer("PUT", "/projects/p2/tasks/7?logged")
    denied = front.envoy.told("/projects/p2/tasks/7?logged")
    assert (denied["decision"], denied["reasons"]) == ("deny", ["condition_not_met"])
    assert denied["revision"] == told["revision"]


@pytest.fixture
def open_front(tmp_path: Path) -> Iterator[Callable[..., int]]:
    """Starts Envoy with the sidecar at a port, and gives its own port."""
    envoys: list[real.Envoy] = []
    with real.upstream() as upstream:

        def begin(sidecar: int, timeout: str = "10s") -> int:
            clusters = [real.cluster("upstream", upstream), real.grpc_cluster("sidecar", sidecar)]
            filters = [real.ext_authz(timeout)]
            config = real.config([real.listener("front", filters)], clusters)
            envoys.append(real.Envoy(config, tmp_path))
            return envoys[-1].ports["front"]

        yield begin
        for envoy in envoys:
            envoy.end()


def test_without_a_sidecar_nothing_goes_through(open_front, tmp_path):
    sidecar = sidecar_of(tmp_path)
    try:
        port = open_front(port_of(sidecar.address))
        assert real.ask(port, "GET", "/health").status == 200
        sidecar.process.kill()
        sidecar.process.wait(real.PATIENCE)
        assert real.ask(port, "GET", "/health").status == 403
    finally:
        sidecar.kill()


def test_while_a_sidecar_does_not_answer_nothing_goes_through(open_front, tmp_path):
    sidecar = sidecar_of(tmp_path)
    try:
        port = open_front(port_of(sidecar.address), "0.3s")
        sidecar.process.send_signal(signal.SIGSTOP)
        assert real.ask(port, "GET", "/health").status == 403
        sidecar.process.send_signal(signal.SIGCONT)
    finally:
        sidecar.kill()


def test_where_something_else_answers_nothing_goes_through(open_front):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            while True:
                try:
                    server.accept()[0].close()
                except OSError:
                    return

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        assert real.ask(open_front(server.getsockname()[1], "1s"), "GET", "/health").status == 403
        server.shutdown(socket.SHUT_RDWR)
        thread.join(real.PATIENCE)


def test_a_changed_table_is_answered_by(open_front, tmp_path):
    sidecar = sidecar_of(tmp_path, "--reload-interval", "0.05")
    try:
        port = open_front(port_of(sidecar.address))
        assert real.ask(port, "GET", "/ready").status == 403
        (tmp_path / "routes.yaml").write_text(ROUTES.replace("/health", "/ready"))
        sidecar.wait_for("routes loaded")
        assert real.ask(port, "GET", "/ready").status == 200
        assert real.ask(port, "GET", "/health").status == 403
        (tmp_path / "routes.yaml").write_text("routes: []")
        refused = sidecar.wait_for("routes refused, the last good ones stay")
        assert any("missing_key" in issue for issue in refused["issues"])
        assert real.ask(port, "GET", "/ready").status == 200
    finally:
        sidecar.kill()
