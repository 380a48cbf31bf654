"""Promises of signed tokens: what is not exactly what was asked for is refused."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import time
from typing import Any

import jwt
import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis.strategies import data, integers, text
from jwt.algorithms import RSAAlgorithm
from structlog.testing import CapturingLogger
from taskman_authz_sidecar.kept import Kept
from taskman_authz_sidecar.security.authenticator import Authenticator
from taskman_authz_sidecar.security.jwks import read_keys
from taskman_authz_sidecar.security.jwts import Jwts
from taskman_authz_sidecar.security.tokens import Tokens
from taskman_authz_sidecar.status import Code, Refusal

from taskman_authz.errors import AuthzError
from tests.sidecar.issuing import AUDIENCE, ISSUER, Issuer
from tests.sidecar.process import PATIENCE


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


def verifier(key_set: bytes, **others: Any) -> Jwts:
    log = structlog.wrap_logger(CapturingLogger())
    settings = {
        "keys": Kept("keys", lambda: key_set, read_keys, log, may_lack=True),
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "algorithms": ["RS256", "ES256"],
        "leeway": 5.0,
        "max_age": 60.0,
        "floor": 5.0,
    }
    return Jwts(**(settings | others))


def refusal(jwts: Jwts, token: str) -> tuple[Code, str]:
    with pytest.raises(Refusal) as caught:
        jwts.subject(token)
    return caught.value.status.code, caught.value.status.message


def part(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims(**others: Any) -> dict[str, Any]:
    said = {"iss": ISSUER, "aud": AUDIENCE, "sub": "web", "exp": int(time.time()) + 600}
    return said | others


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_good_token_is_of_its_subject(issuer, algorithm):
    jwts = verifier(issuer.key_set())
    token = issuer.token("web", algorithm, aud=["others", AUDIENCE])
    assert jwts.subject(token) == jwts.subject(token) == "web"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"exp": 1}, "the token has expired"),
        ({"exp": None}, "the token lacks a claim that is required"),
        ({"nbf": 2**33}, "the token is not in force yet"),
        ({"aud": "others"}, "the token is for somebody else"),
        ({"aud": None}, "the token lacks a claim that is required"),
        ({"iss": "https://other.test"}, "the token is of another issuer"),
        ({"iss": None}, "the token lacks a claim that is required"),
        ({"sub": None}, "the token lacks a claim that is required"),
        ({"sub": ""}, "the token cannot be read"),
        ({"sub": 7}, "the token cannot be read"),
        ({"exp": "soon"}, "the token cannot be read"),
        ({"headers": {"crit": ["b64"], "b64": True}}, "the token cannot be read"),
        ({"headers": {"kid": "2"}}, "the token is signed with a key that is not known"),
        # A key is for the algorithm that it says.
        ({"headers": {"kid": "1-ES256"}}, "the token is signed in a way that is not accepted"),
    ],
)
def test_a_token_that_lacks_something_is_refused(issuer, wrong, why):
    said = dict(wrong)
    sub = {"sub": said.pop("sub")} if "sub" in said else {}
    if isinstance(sub.get("sub"), int):
        token = forged({"alg": "RS256", "kid": "1-RS256"}, claims(**sub), issuer)
    else:
        token = issuer.token(**(said | sub))
    assert refusal(verifier(issuer.key_set()), token) == (Code.UNAUTHENTICATED, why)


def forged(header: dict[str, Any], payload: dict[str, Any], issuer: Issuer) -> str:
    """A token that the library would not write, rightly signed."""
    signed = f"{part(header)}.{part(payload)}"
    signature = RSAAlgorithm(RSAAlgorithm.SHA256).sign(signed.encode(), issuer.rsa)
    return f"{signed}.{part(signature)}"


def test_no_signature_is_no_signature(issuer):
    jwts = verifier(issuer.key_set())
    for algorithm in ("none", "None", "", None):
        token = f"{part({'alg': algorithm, 'kid': '1-RS256'})}.{part(claims())}."
        code, why = refusal(jwts, token)
        assert (code, why) == (
            Code.UNAUTHENTICATED,
            "the token is signed in a way that is not accepted",
        )


def test_a_public_key_is_no_shared_secret(issuer):
    for algorithms in (["RS256", "ES256"], ["RS256", "HS256"]):
        jwts = verifier(issuer.key_set(), algorithms=algorithms)
        signed = f"{part({'alg': 'HS256', 'kid': '1-RS256'})}.{part(claims())}"
        signature = hmac.digest(issuer.pem, signed.encode(), "sha256")
        assert refusal(jwts, f"{signed}.{part(signature)}")[0] is Code.UNAUTHENTICATED


def test_a_key_in_the_header_is_not_believed(issuer):
    other = Issuer()
    headers = {"jwk": other.entries()[0], "jku": "https://other.test", "kid": "1-RS256"}
    token = other.token(headers=headers)
    why = "the token is not signed by its issuer"
    assert refusal(verifier(issuer.key_set()), token) == (Code.UNAUTHENTICATED, why)


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "\ud800.é.\x00", "[" * 8_000])
def test_what_is_no_token_is_refused(issuer, text):
    jwts = verifier(issuer.key_set())
    assert refusal(jwts, text) == (Code.UNAUTHENTICATED, "the token cannot be read")
    deep = f"{part(b'[' * 5_000)}.e30.e30"
    assert refusal(jwts, deep) == (Code.UNAUTHENTICATED, "the token cannot be read")


def test_a_remembered_token_expires(issuer):
    # The library has a clock of its own: a token that it takes is late for ours.
    now = [time.time()]
    jwts = verifier(issuer.key_set(), clock=lambda: now[0])
    token = issuer.token()
    assert jwts.subject(token) == "web"
    jwts._verify = None  # would fail, were it asked
    assert jwts.subject(token) == "web"
    now[0] += 606
    with pytest.raises(TypeError):
        jwts.subject(token)


def test_keys_that_could_not_be_read_for_too_long_are_none(issuer):
    jwts = verifier(issuer.key_set(), max_age=0.0)
    assert refusal(jwts, issuer.token())[0] is Code.UNAVAILABLE
    assert refusal(verifier(b"none"), issuer.token())[0] is Code.UNAVAILABLE


def test_keys_that_are_not_for_us_are_passed_by(issuer):
    small = rsa.generate_private_key(65_537, 1_024)
    shared = {"kty": "oct", "k": part(b"secret" * 10), "kid": "shared"}
    private = json.loads(RSAAlgorithm.to_jwk(issuer.rsa)) | {"kid": "private"}
    short = json.loads(RSAAlgorithm.to_jwk(small.public_key())) | {"kid": "short"}
    public = issuer.entries()[0]
    others = [
        shared,
        private,
        short,
        public | {"kid": "for-encryption", "use": "enc"},
        public | {"kid": "of-another-kind", "alg": "HS256"},
        {"kty": "EC", "crv": "P-256", "x": "!", "y": "!"},
        {"kty": ["RSA"]},
        "text",
        {},
    ]
    assert list(read_keys(json.dumps({"keys": [*others, public]}).encode())) == ["1-RS256"]
    with pytest.raises(AuthzError, match="no public key for signatures among 8 keys"):
        read_keys(json.dumps({"keys": others}).encode())
    for bad in (b"", b"[]", b'{"keys": 1}', b'{"keys": {}}x', b"[" * 100_000):
        with pytest.raises(AuthzError, match="expected a JSON Web Key Set"):
            read_keys(bad)


def test_a_token_without_a_key_id_is_of_the_only_key(issuer):
    one = json.dumps({"keys": issuer.entries()[:1]}).encode()
    token = jwt.encode(claims(), issuer.rsa, "RS256")
    assert verifier(one).subject(token) == "web"
    assert refusal(verifier(issuer.key_set()), token)[0] is Code.UNAUTHENTICATED


def test_a_header_that_is_no_bearer_is_refused_where_tokens_are_taken(issuer):
    authenticator = Authenticator(None, verifier(issuer.key_set()).subject)
    token = issuer.token()
    caller = authenticator.caller(f"bearer  {token}", ("dns:web",))
    assert caller.names == ("jwt:web", "dns:web")
    for header in (token, "Basic eDp5", "Bearer", "Bearer ", f"Bearer {'x' * 8_200}"):
        with pytest.raises(Refusal) as caught:
            authenticator.caller(header, ("dns:web",))
        assert caught.value.status.code is Code.UNAUTHENTICATED
    assert Authenticator(None, None).caller("Basic eDp5", ("dns:web",)).names == ("dns:web",)


async def test_a_key_that_is_not_known_is_fetched_at_once_and_seldom(issuer):
    newer = Issuer("newer")
    texts = [issuer.key_set(), newer.key_set()]
    log = structlog.wrap_logger(CapturingLogger())
    keys = Kept("keys", lambda: texts.pop(0), read_keys, log, interval=86_400)
    jwts = verifier(b"", keys=keys, floor=3_600.0)
    assert refusal(jwts, newer.token())[0] is Code.UNAUTHENTICATED  # it was not there just now
    read = asyncio.Event()
    following = asyncio.create_task(keys.follow(read.set))
    await asyncio.sleep(0)  # it follows
    jwts = verifier(b"", keys=keys, floor=0.0)
    assert refusal(jwts, newer.token())[0] is Code.UNAVAILABLE
    await asyncio.wait_for(read.wait(), PATIENCE)
    assert jwts.subject(newer.token()) == "web"
    assert texts == []
    following.cancel()


@given(text())
def test_whatever_stands_in_the_header_nobody_comes_of_it(header):
    authenticator = Authenticator(Tokens(b"web a-token-of-its-own").owner, KNOWN.subject)
    for shown in (header, f"Bearer {header}"):
        try:
            assert authenticator.caller(shown).names == ()
            assert shown == ""
        except Refusal as refusal:
            assert refusal.status.code is Code.UNAUTHENTICATED


@given(data())
def test_a_token_that_is_changed_anywhere_is_of_nobody_else(drawn):
    place = drawn.draw(integers(0, len(TOKEN) - 1))
    put = drawn.draw(text(max_size=3))
    changed = TOKEN[:place] + put + TOKEN[place + drawn.draw(integers(0, 3)) :]
    try:
        # The last bits of a signature's text mean nothing.
        assert KNOWN.subject(changed) == "web"
        assert changed.rpartition(".")[0] == TOKEN.rpartition(".")[0]
    except Refusal as refusal:
        assert refusal.status.code is Code.UNAUTHENTICATED


OWN = Issuer()
TOKEN = OWN.token("web", "ES256")
KNOWN = verifier(OWN.key_set(), floor=86_400.0, max_age=86_400.0)
