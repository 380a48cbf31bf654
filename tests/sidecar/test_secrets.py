"""Promises of secrets: they are read where they rest, again and again, and shown nowhere."""

from __future__ import annotations

import asyncio

import pytest
import structlog
from structlog.testing import CapturingLogger
from taskman_authz_sidecar.secrets import Secrets
from taskman_authz_sidecar.secrets.leases import Leased

from taskman_authz.errors import AuthzError
from tests.sidecar.asking import ask, connect
from tests.sidecar.authority import Authority
from tests.sidecar.process import NOT_SERVING, PATIENCE, SERVING
from tests.sidecar.test_running import fail
from tests.sidecar.vault import VaultServer

SECURITY = "taskman_authz.security"
PLACE = "vault:secret/taskman/authz#tokens"
ALICE, BOB = "alice-s-long-token", "bobs-own-long-token"


@pytest.fixture
def vault(monkeypatch, tmp_path):
    server = VaultServer()
    server.kept["secret/taskman/authz"] = {"tokens": f"alice {ALICE}", "number": 7}
    monkeypatch.setenv("HOME", str(tmp_path))  # no token of whoever runs this
    monkeypatch.setenv("VAULT_ADDR", server.url)
    monkeypatch.setenv("VAULT_TOKEN", server.give())
    yield server
    server.stop()


@pytest.fixture
def logger() -> CapturingLogger:
    return CapturingLogger()


@pytest.fixture
def secrets(logger) -> Secrets:
    return Secrets(1.0, structlog.wrap_logger(logger, processors=[]))


def test_a_secret_is_its_text_or_what_a_file_holds(secrets, tmp_path):
    (tmp_path / "secret").write_bytes(b"of a file")
    assert secrets.source("--x", "of a text").read() == b"of a text"
    assert secrets.source("--x", f"file:{tmp_path}/secret").read() == b"of a file"


def test_a_secret_of_vault_is_read_under_its_key(vault, secrets):
    source = secrets.source("--tokens", PLACE)
    assert source.read() == f"alice {ALICE}".encode()
    vault.kept["secret/taskman/authz"]["tokens"] = "new"
    assert source.read() == b"new"


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("vault:secret/taskman/none#tokens", "InvalidPath"),
        ("vault:secret/taskman/authz#none", "there is no text under this key"),
        ("vault:secret/taskman/authz#number", "there is no text under this key"),
    ],
)
def test_what_is_not_there_is_named(vault, secrets, place, why):
    with pytest.raises(AuthzError) as caught:
        secrets.source("--tokens", place).read()
    assert str(caught.value) == f"--tokens {place}: {why}"


def test_a_place_in_vault_has_mount_path_and_key(secrets):
    for place in ("vault:secret#key", "vault:secret/path", "vault:secret/path#", "vault:/path#key"):
        with pytest.raises(AuthzError, match="expected `vault:mount/path#key`"):
            secrets.source("--tokens", place)


def test_a_token_that_is_not_taken_is_told_without_itself(vault, secrets, monkeypatch):
    monkeypatch.setenv("VAULT_TOKEN", "hvs.wrong")
    with pytest.raises(AuthzError) as caught:
        secrets.source("--tokens", PLACE).read()
    assert str(caught.value) == f"--tokens {PLACE}: Forbidden"
    assert "hvs" not in repr(secrets.vault)


def test_a_vault_that_is_not_there_is_told(vault, secrets):
    vault.stop()
    with pytest.raises(AuthzError, match="ConnectionError"):
        secrets.source("--tokens", PLACE).read()


def sign_in_by_role(monkeypatch, vault) -> None:
    monkeypatch.delenv("VAULT_TOKEN")
    monkeypatch.setenv("VAULT_ROLE_ID", "authz")
    monkeypatch.setenv("VAULT_SECRET_ID", "approle-secret")
    vault.roles.add(("authz", "approle-secret"))


def test_an_approle_signs_in_and_again_when_its_token_is_revoked(vault, secrets, monkeypatch):
    sign_in_by_role(monkeypatch, vault)
    source = secrets.source("--tokens", PLACE)
    assert source.read()
    vault.tokens.clear()
    assert source.read()
    assert vault.asked.count("200 auth/approle/login") == 2
    vault.roles.clear()
    vault.tokens.clear()
    with pytest.raises(AuthzError, match="InvalidRequest") as caught:
        source.read()
    assert "approle-secret" not in str(caught.value)


def test_a_service_account_of_kubernetes_signs_in(vault, secrets, monkeypatch, tmp_path):
    (tmp_path / "token").write_text("account-token\n")
    monkeypatch.delenv("VAULT_TOKEN")
    monkeypatch.setenv("VAULT_KUBERNETES_ROLE", "authz")
    monkeypatch.setenv("VAULT_KUBERNETES_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("VAULT_AUTH_MOUNT", "k8s")
    vault.roles.add(("authz", "account-token"))
    assert secrets.source("--tokens", PLACE).read()
    (tmp_path / "token").unlink()
    vault.tokens.clear()
    with pytest.raises(AuthzError, match="the token of the service account cannot be read"):
        secrets.source("--tokens", PLACE).read()


async def test_a_token_is_renewed_before_it_expires(vault, secrets, monkeypatch, logger):
    monkeypatch.setattr("random.uniform", lambda *_: 0.001)  # of its life: it is half elsewhere
    vault.life = 60.0
    monkeypatch.setenv("VAULT_TOKEN", vault.give())
    source = secrets.source("--tokens", PLACE)
    assert source.read()
    renewed = asyncio.Event()
    following = asyncio.create_task(secrets.vault.follow(renewed.set))
    while vault.asked.count("200 auth/token/renew-self") < 3:
        await asyncio.wait_for(renewed.wait(), PATIENCE)
        renewed.clear()
    assert source.read()
    assert vault.asked.count("200 auth/token/lookup-self") == 1
    vault.is_sealed = True
    while not secrets.vault.problem:
        await asyncio.wait_for(renewed.wait(), PATIENCE)
        renewed.clear()
    assert secrets.vault.problem == "vault: signing in failed: VaultDown"
    assert [call.method_name for call in logger.calls] == ["error"]
    following.cancel()


@pytest.mark.asyncio
async def test_a_user_of_a_database_is_renewed_and_then_another_one(vault, secrets, logger):
    vault.lease, vault.longest = 1, 2
    secrets.source("--x", PLACE).read()
    log = structlog.wrap_logger(logger, processors=[])
    leased = Leased(secrets.vault, "database/authz", log)
    first = leased.user()
    assert (leased.user(), vault.users) == (first, [first.user])
    changed = asyncio.Event()

    async def on_new() -> None:
        changed.set()

    following = asyncio.create_task(leased.follow(on_new))
    await asyncio.wait_for(changed.wait(), PATIENCE)
    second = leased.user()
    assert vault.users == [first.user, second.user]
    assert vault.asked.count("200 sys/leases/renew") >= 2  # it was renewed while it could be
    vault.is_sealed = True
    while not any("not renewed" in str(call) for call in logger.calls):
        await asyncio.sleep(0.05)
    assert leased.user() == second  # the last one stays
    following.cancel()
    said = str(logger.calls)
    assert first.password not in said and second.password not in said


@pytest.mark.process
def test_tokens_of_vault_are_replaced_and_kept_while_it_is_down(
    vault, policies, start, monkeypatch
):
    sign_in_by_role(monkeypatch, vault)
    sidecar = start(policies, "--tokens", PLACE, "--secrets-interval", "1", "--log-level", "debug")
    with connect(sidecar.address) as channel:
        assert ask(channel, token=f"Bearer {ALICE}") == "OK"
        vault.kept["secret/taskman/authz"]["tokens"] = f"bob {BOB}"
        sidecar.wait_for("tokens loaded")
        answers = [ask(channel, token=f"Bearer {token}") for token in (ALICE, BOB)]
        assert answers == ["UNAUTHENTICATED", "OK"]
        vault.is_sealed = True
        told = sidecar.wait_for("tokens refused, the last good one stays")
        assert told["why"] == f"--tokens {PLACE}: VaultDown"
        sidecar.wait_for_health(SECURITY, NOT_SERVING)
        assert ask(channel, token=f"Bearer {BOB}") == "OK"
        vault.is_sealed = False
        sidecar.wait_for_health(SECURITY, SERVING)
    assert sidecar.stop() == 0
    secret = (ALICE, BOB, "approle-secret", *vault.tokens)
    assert not [text for text in secret if text in str(sidecar.said)]


@pytest.mark.process
def test_without_its_secret_it_does_not_start(vault, policies):
    said = fail("--policies", str(policies), "--tokens", "vault:secret/none#tokens")
    told = "--tokens vault:secret/none#tokens: InvalidPath"
    assert said == f"taskman-authz serve: error: {told}\n"


@pytest.mark.process
def test_the_key_of_tls_may_rest_in_vault(vault, policies, start, tmp_path):
    authority = Authority()
    issued = authority.issue()
    cert = issued.write(tmp_path)[1]
    vault.kept["kv/tls"] = {"key": issued.key.decode()}
    sidecar = start(policies, "--tls-cert", cert, "--tls-key", "vault:kv/tls#key")
    with connect(sidecar.address, authority.pem) as channel:
        assert ask(channel) == "OK"
