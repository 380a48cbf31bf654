"""What a real Envoy does with our answers: requests of real clients to a real upstream."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from ssl import SSLContext, create_default_context
from typing import NamedTuple

import pytest
from cryptography.x509 import GeneralName, UniformResourceIdentifier

from tests.sidecar.authority import Authority, Issued, spiffe
from tests.sidecar.ext_authz import envoy as real
from tests.sidecar.ext_authz.tables import POLICIES, ROUTES
from tests.sidecar.process import NOT_SERVING, Sidecar

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


class Standing(NamedTuple):
    """A sidecar, and Envoy before an upstream."""

    envoy: real.Envoy
    sidecar: Sidecar

    def ask(self, path: str, *headers: tuple[str, str], context: SSLContext | None = None):
        """The answer to a GET."""
        return real.ask(self.envoy.ports["front"], "GET", path, list(headers), context)


@contextmanager
def standing(
    folder: Path, filters: list[real.Part], *arguments: str, listener=None, cluster=None
) -> Iterator[Standing]:
    """All of it, until the block ends; `listener` and `cluster` are more of the configuration of
    Envoy's listener, and of the cluster that the sidecar is."""
    (folder / "policies").mkdir()
    (folder / "policies" / "p.yaml").write_text(POLICIES)
    (folder / "routes.yaml").write_text(ROUTES)
    arguments = ("--ext-authz-routes", str(folder / "routes.yaml"), *arguments)
    arguments = ("--ext-authz-trusted-header", "x-user", *arguments)
    with ExitStack() as stack:
        sidecar = Sidecar(folder / "policies", *arguments)
        stack.callback(sidecar.kill)
        port = int(sidecar.address.rpartition(":")[2])
        clusters = [
            real.cluster("upstream", stack.enter_context(real.upstream())),
            real.grpc_cluster("sidecar", port, **(cluster or {})),
        ]
        listeners = [real.listener("front", filters, **(listener or {}))]
        envoy = real.Envoy(real.config(listeners, clusters), folder)
        stack.callback(envoy.end)
        yield Standing(envoy, sidecar)


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """Envoy before an upstream, with tokens verified and the sidecar asked."""
    issuer = real.Issuer()
    filters = [real.jwt_authn(issuer), real.ext_authz()]
    with standing(tmp_path_factory.mktemp("envoy"), filters) as all_of_it:
        yield Front(all_of_it.envoy, issuer)


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


@pytest.fixture(scope="module")
def lenient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """Envoy as it should not be: it lets through where the sidecar fails, and passes headers on raw
    and not all of them."""
    hidden = {"patterns": [{"prefix": "x_taskman"}]}
    options = {"failure_mode_allow": True, "encode_raw_headers": True, "disallowed_headers": hidden}
    with standing(tmp_path_factory.mktemp("lenient"), [real.ext_authz(**options)]) as all_of_it:
        yield all_of_it


@pytest.mark.parametrize(
    ("path", "status"),
    [("//health", 400), ("/tasks/1?size=1&size=2", 400), ("/tasks/1", 403), ("/nowhere", 403)],
)
def test_what_cannot_be_asked_is_an_answer_and_no_failure(lenient, path, status):
    assert lenient.ask(path, ("x-user", "bob")).status == status


def test_raw_headers_say_who_asks_and_hidden_ones_are_removed(lenient):
    forged = [("x_taskman_subject", "user:root"), ("x-taskman-subject", "user:root")]
    found = reached(lenient.ask("/tasks/1?size=1", ("X-User", "bob"), *forged))
    assert found["x-taskman-subject"] == ["user:bob"]
    assert "x_taskman_subject" not in found


# -- without an answer -------------------------------------------------------------------------


def test_without_a_sidecar_nothing_goes_through(tmp_path):
    with standing(tmp_path, [real.ext_authz()]) as front:
        assert front.ask("/health").status == 200
        front.sidecar.kill()
        assert front.ask("/health").status == 403


def test_while_a_sidecar_does_not_answer_nothing_goes_through(tmp_path):
    with standing(tmp_path, [real.ext_authz("0.3s")]) as front:
        front.sidecar.process.send_signal(signal.SIGSTOP)
        assert front.ask("/health").status == 403


def test_where_something_else_answers_nothing_goes_through(tmp_path):
    with real.upstream() as port:
        clusters = [real.cluster("upstream", port), real.grpc_cluster("sidecar", port)]
        listeners = [real.listener("front", [real.ext_authz("5s")])]
        envoy = real.Envoy(real.config(listeners, clusters), tmp_path)
        try:
            assert real.ask(envoy.ports["front"], "GET", "/health").status == 403
        finally:
            envoy.end()


def test_a_changed_table_is_answered_by(tmp_path):
    with standing(tmp_path, [real.ext_authz()], "--reload-interval", "0.05") as front:
        assert front.ask("/ready").status == 403
        (tmp_path / "routes.yaml").write_text(ROUTES.replace("/health", "/ready"))
        front.sidecar.wait_for("routes loaded")
        assert front.ask("/ready").status == 200
        assert front.ask("/health").status == 403
        (tmp_path / "routes.yaml").write_text("routes: []")
        refused = front.sidecar.wait_for("routes refused, the last good ones stay")
        assert any("missing_key" in issue for issue in refused["issues"])
        assert front.ask("/ready").status == 200
        front.sidecar.wait_for_health("taskman_authz.routes", NOT_SERVING)


# -- certificates ------------------------------------------------------------------------------

MAILER, OTHER = (UniformResourceIdentifier(f"spiffe://example.org/{n}") for n in ("mailer", "x"))


def presenting(authority: Authority, folder: Path, *names: GeneralName) -> SSLContext:
    """What a client does that trusts the authority, and shows a certificate with these names."""
    folder.mkdir()
    context = create_default_context(cadata=authority.pem.decode())
    if names:
        authority.issue(names).write(folder)
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_the_certificate_of_a_client_says_who_it_is(tmp_path):
    authority = Authority()
    tls = real.downstream_tls(authority.pem, *authority.issue())
    with standing(tmp_path, [real.ext_authz()], listener=tls) as front:
        path = "/projects/p1/tasks/7"
        mailer = presenting(authority, tmp_path / "mailer", MAILER)
        headers = reached(front.ask(path, context=mailer))
        assert headers["x-taskman-subject"] == [f"service:{MAILER.value}"]
        other = presenting(authority, tmp_path / "other", OTHER)
        assert front.ask(path, context=other).status == 403
        nobody = presenting(authority, tmp_path / "nobody")
        assert front.ask(path, context=nobody).status == 401
        stranger = presenting(authority, tmp_path / "stranger")
        Authority().issue([MAILER]).write(tmp_path / "stranger")
        stranger.load_cert_chain(tmp_path / "stranger/cert.pem", tmp_path / "stranger/key.pem")
        with pytest.raises(OSError):
            front.ask(path, context=stranger)


def meeting(folder: Path, authority: Authority, shown: Issued):
    """All of it, where Envoy shows the sidecar this certificate, and the sidecar answers
    `spiffe://test/envoy` only."""
    (folder / "sidecar").mkdir()
    (folder / "ca.pem").write_bytes(authority.pem)
    arguments = authority.issue().write(folder / "sidecar")
    arguments += ["--tls-client-ca", str(folder / "ca.pem")]
    arguments += ["--allowed-callers", "ext_authz/Check=spiffe://test/envoy"]
    ways = {
        "listener": real.downstream_tls(authority.pem, *authority.issue()),
        "cluster": real.upstream_tls(authority.pem, *shown),
    }
    return standing(folder, [real.ext_authz()], *arguments, **ways)


def test_envoy_and_the_sidecar_know_each_other_and_the_client_is_the_subject(tmp_path):
    authority = Authority()
    with meeting(tmp_path, authority, authority.issue([spiffe("envoy")])) as front:
        mailer = presenting(authority, tmp_path / "mailer", MAILER)
        headers = reached(front.ask("/projects/p1/tasks/7", context=mailer))
        assert headers["x-taskman-subject"] == [f"service:{MAILER.value}"]
        other = presenting(authority, tmp_path / "other", OTHER)
        assert front.ask("/projects/p1/tasks/7", context=other).status == 403


def test_an_envoy_of_another_name_is_told_no_and_its_client_nothing_of_why(tmp_path):
    authority = Authority()
    with meeting(tmp_path, authority, authority.issue([spiffe("other")])) as front:
        mailer = presenting(authority, tmp_path / "mailer", MAILER)
        answer = front.ask("/health", context=mailer)
        assert (answer.status, answer.json["reasons"]) == (403, [{"code": "permission_denied"}])


def test_an_envoy_of_another_authority_is_not_answered(tmp_path):
    authority = Authority()
    with meeting(tmp_path, authority, Authority().issue([spiffe("envoy")])) as front:
        mailer = presenting(authority, tmp_path / "mailer", MAILER)
        answer = front.ask("/health", context=mailer)
        assert (answer.status, answer.body) == (403, "")
