"""Promises of bearer tokens, asked of a running sidecar."""

from __future__ import annotations

import hashlib

import pytest
from taskman_authz_sidecar.security.tokens import Tokens

from taskman_authz.errors import AuthzError
from tests.sidecar.asking import ask, ask_whole, connect
from tests.sidecar.authority import Authority
from tests.sidecar.issuing import AUTHORITY, Issuer, Served
from tests.sidecar.process import NOT_SERVING, SERVING
from tests.sidecar.test_running import fail

SECURITY = "taskman_authz.security"
ALICE, BOB = "alice's long token".replace(" ", "-"), "bobs-own-long-token"


@pytest.fixture
def served():
    """Starts servers of pages, and stops them."""
    running: list[Served] = []

    def begin(*arguments) -> Served:
        running.append(Served(*arguments))
        return running[-1]

    yield begin
    for each in running:
        each.stop()


def asked(sidecar, *tokens: str) -> list[str]:
    with connect(sidecar.address) as channel:
        return [ask(channel, token=f"Bearer {token}" if token else "") for token in tokens]


@pytest.mark.process
def test_who_shows_a_token_is_its_owner(policies, start, tmp_path):
    file = tmp_path / "tokens"
    digest = hashlib.sha256(BOB.encode()).hexdigest()
    file.write_text(f"# who asks\nalice {ALICE}\n\nbob sha256:{digest}\n")
    rules = ("--allowed-callers", "Check=token:alice", "--allowed-callers", "BatchCheck=token:bob")
    sidecar = start(policies, "--tokens", f"file:{file}", *rules)
    bad = f"{ALICE}x"
    answers = asked(sidecar, ALICE, BOB, bad, "")
    assert answers == ["OK", "PERMISSION_DENIED", "UNAUTHENTICATED", "UNAUTHENTICATED"]
    with connect(sidecar.address) as channel:
        assert ask(channel, "BatchCheck", f"bearer {BOB}") == "OK"
        assert ask_whole(channel, token=f"Bearer {bad}")[1] == "the token is not known"
    assert not any(bad in str(event) for event in sidecar.said)


@pytest.mark.process
def test_tokens_are_replaced_while_it_runs(policies, start, tmp_path):
    file = tmp_path / "tokens"
    file.write_text(f"alice {ALICE}\n")
    sidecar = start(policies, "--tokens", f"file:{file}")
    assert asked(sidecar, ALICE, BOB, "") == ["OK", "UNAUTHENTICATED", "UNAUTHENTICATED"]
    file.write_text("bob short\n")
    told = sidecar.wait_for("tokens refused, the last good one stays")
    assert told["why"] == "--tokens, line 1: a token has at least 16 characters"
    sidecar.wait_for_health(SECURITY, NOT_SERVING)
    assert asked(sidecar, ALICE) == ["OK"]
    file.write_text(f"bob {BOB}\n")
    sidecar.wait_for("tokens loaded")
    assert asked(sidecar, ALICE, BOB) == ["UNAUTHENTICATED", "OK"]
    sidecar.wait_for_health(SECURITY, SERVING)


@pytest.mark.process
def test_a_secret_is_printed_nowhere(policies, start, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TASKMAN_AUTHZ_TOKENS", f"alice {ALICE}")
    sidecar = start(policies, "--log-level", "debug")
    assert asked(sidecar, ALICE) == ["OK"]
    sidecar.stop()
    assert ALICE not in str(sidecar.said)
    from taskman_authz_sidecar.__main__ import main

    assert main(["--print-config"]) == 0
    printed = capsys.readouterr()
    assert ALICE not in printed.out + printed.err
    assert "tokens: (not shown)" in printed.out
    monkeypatch.setenv("TASKMAN_AUTHZ_TOKENS", f"alice {ALICE}\nbob {ALICE}")
    said = fail("--policies", str(policies))
    assert ALICE not in said and "--tokens, line 2: the token of `alice` as well" in said
    monkeypatch.setenv("TASKMAN_AUTHZ_TOKENS", f"file:{tmp_path}/none")
    assert main(["--print-config"]) == 0
    assert f"tokens: file:{tmp_path}/none" in capsys.readouterr().out
    assert "none: no such file or directory" in fail("--policies", str(policies))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "expected a line"),
        ("# nobody\n", "expected a line"),
        (f"alice {ALICE}\nbob\n", "line 2: expected `name token`"),
        ("bob sha256:12", "line 1: expected `name token`"),
        (f"bob {ALICE} more", "line 1: expected `name token`"),
        ("\n".join(f"a{n} token-of-number-{n}" for n in range(1_001)), "more than 1000"),
    ],
)
def test_a_bad_line_of_tokens_is_named_by_its_number(text, why):
    with pytest.raises(AuthzError, match=why) as caught:
        Tokens(text.encode())
    assert ALICE not in str(caught.value)


@pytest.mark.process
def test_signed_tokens_are_verified_and_new_keys_are_fetched(policies, start, served):
    old, new, other = Issuer("old"), Issuer("new"), Issuer("other")
    server = served()
    server.pages["/keys"] = (200, old.key_set())
    sidecar = start(policies, "--jwks", f"{server.url}/keys", "--jwks-interval", "1", *AUTHORITY)
    good, late = old.token("web"), old.token("web", exp=1)
    assert asked(sidecar, good, late, "") == ["OK", "UNAUTHENTICATED", "UNAUTHENTICATED"]
    server.pages["/keys"] = (200, new.key_set())
    sidecar.wait_for("public keys of tokens loaded")
    assert asked(sidecar, new.token(), good) == ["OK", "UNAUTHENTICATED"]
    # What cannot be read leaves the last good keys.
    server.pages["/keys"] = (500, b"")
    sidecar.wait_for_health(SECURITY, NOT_SERVING)
    assert asked(sidecar, new.token()) == ["OK"]
    assert asked(sidecar, other.token()) == ["UNAVAILABLE"]


@pytest.mark.process
def test_an_issuer_that_is_down_at_the_start_is_waited_for(policies, start, served):
    issuer, server = Issuer(), served()
    options = ("--jwks", f"{server.url}/keys", "--jwks-interval", "1", *AUTHORITY)
    sidecar = start(policies, *options)
    told = sidecar.wait_for("public keys of tokens refused, there is none")
    assert told["why"].endswith("/keys: answered 404")
    assert sidecar.health(SECURITY) == NOT_SERVING
    assert asked(sidecar, issuer.token(), "") == ["UNAVAILABLE", "UNAUTHENTICATED"]
    server.pages["/keys"] = (200, issuer.key_set())
    sidecar.wait_for_health(SECURITY, SERVING)
    assert asked(sidecar, issuer.token()) == ["OK"]


@pytest.mark.process
def test_keys_come_from_who_proves_to_be_the_issuer(policies, start, served, tmp_path, monkeypatch):
    authority, issuer = Authority(), Issuer()
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    (tmp_path / "server.pem").write_bytes(b"".join(authority.issue()))
    server = served(tmp_path / "server.pem")
    server.pages["/keys"] = (200, issuer.key_set())
    options = ("--jwks", f"{server.url}/keys", *AUTHORITY)
    sidecar = start(policies, *options)
    assert (
        "certificate verify failed"
        in sidecar.wait_for("public keys of tokens refused, there is none")["why"]
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    assert asked(start(policies, *options), issuer.token()) == ["OK"]


@pytest.mark.process
def test_redirections_are_not_followed(policies, start, served):
    server, elsewhere = served(), served()
    elsewhere.pages["/keys"] = (200, Issuer().key_set())
    server.pages["/keys"] = (302, f"{elsewhere.url}/keys".encode())
    sidecar = start(policies, "--jwks", f"{server.url}/keys", *AUTHORITY)
    told = sidecar.wait_for("public keys of tokens refused, there is none")
    assert told["why"].endswith("answered 302")
    assert elsewhere.asked == []


@pytest.mark.process
def test_what_cannot_be_verified_is_refused_at_the_start(policies, tmp_path):
    for options, why in [
        (("--jwks", "keys.json"), "JWTs need --jwks, --jwt-issuer and --jwt-audience"),
        (("--jwks", "http://issuer.test/", *AUTHORITY), "--jwks: expected `https://`"),
        (("--jwks", str(tmp_path / "none"), *AUTHORITY), "none: no such file or directory"),
        (("--jwt-algorithms", "HS256"), "--jwt-algorithms: "),
        (("--jwt-algorithms", "none"), "--jwt-algorithms: "),
    ]:
        assert why in fail("--policies", str(policies), *options)
