"""Promises of the OAuth endpoints: what a session is over gRPC it is here."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import bcrypt
import httpx
import jwt
import pyotp
import pytest
import pytest_asyncio
from taskman.authentication.app import SERVICE_DEFINITION
from taskman.authentication.v1 import authentication_pb2 as wire
from taskman.authentication.v1.authentication_pb2_grpc import AuthenticationServiceStub
from taskman.chassis.service import Service
from taskman.user.app import SERVICE_DEFINITION as USER

from examples.taskman.tests.conftest import PATIENCE, Who, World, call, known, service_metadata

pytestmark = pytest.mark.asyncio(loop_scope="module")
PASSWORD = "correct horse battery staple"


class Door(NamedTuple):
    world: World
    users: Service
    service: Service
    web: httpx.AsyncClient

    async def post(self, path: str, headers: Any = None, **form: str) -> httpx.Response:
        return await self.web.post(f"/oauth/{path}", data=form, headers=headers)

    async def sign_in(self, who: Who, password: str = PASSWORD, **more: str) -> httpx.Response:
        form = {"grant_type": "password", "username": f"{who.id}@example.com", **more}
        return await self.post("token", password=password, **form)

    async def looked_at(self, token: str, company_id: str) -> dict[str, Any]:
        headers = dict(service_metadata("api-gateway", company_id))
        return (await self.post("introspect", headers, token=token)).json()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(blank: World) -> AsyncIterator[Door]:
    users = await blank.start(USER)
    service = await blank.start(
        SERVICE_DEFINITION, peers={"user-service": users.address}, key_secret="k" * 32,
        bcrypt_cost=4,
    )  # fmt: skip
    url = f"http://{service.http_address}"
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE) as web:
        yield Door(blank, users, service, web)
    await blank.close()


async def somebody(door: Door) -> Who:
    """A user with a password."""
    who = await known(door.users)
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    async with door.service.database.company(who.company_id) as transaction:
        await transaction.execute(
            "INSERT INTO credentials (user_id, company_id, password) VALUES ($1, $2, $3)",
            *(who.id, who.company_id, hashed),
        )
    return who


async def test_who_has_a_second_factor_shows_a_code_too(door: Door):
    who = await somebody(door)
    stub = AuthenticationServiceStub(await door.world.channel(door.service.address))
    token = (await door.sign_in(who)).json()["access_token"]
    bearer = (("authorization", f"Bearer {token}"),)
    asked = wire.EnrollSecondFactorRequest(password=PASSWORD)
    factor = pyotp.TOTP((await call(stub.EnrollSecondFactor, asked, bearer)).secret)
    before = factor.at(int(time.time()) - factor.interval)
    asked = wire.ConfirmSecondFactorRequest(code=before)
    await call(stub.ConfirmSecondFactor, asked, bearer)
    refused = await door.sign_in(who)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert "code" in refused.json()["error_description"]
    answer = await door.sign_in(who, otp=factor.now())
    token = answer.json()["access_token"]
    assert jwt.decode(token, options={"verify_signature": False})["amr"] == ["pwd", "otp", "mfa"]


async def test_a_password_and_then_refresh_tokens_give_tokens(door: Door):
    who = await somebody(door)
    answer = await door.sign_in(who)
    assert answer.headers["cache-control"] == "no-store"  # RFC 6749 section 5.1
    tokens = answer.json()
    assert (tokens["token_type"], 3_500 < tokens["expires_in"] <= 3_600) == ("Bearer", True)
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert (claims["sub"], claims["company_id"]) == (who.id, who.company_id)
    grant = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    again = (await door.post("token", **grant)).json()
    assert again["refresh_token"] != tokens["refresh_token"]
    reused = await door.post("token", **grant)
    assert (reused.status_code, reused.json()["error"]) == (400, "invalid_grant")
    ended = await door.post("token", **grant | {"refresh_token": again["refresh_token"]})
    assert ended.json()["error"] == "invalid_grant"  # the second use ended the session


async def test_what_is_wrong_is_said_as_the_rfc_says_it(door: Door):
    who = await somebody(door)
    for form, error in [
        ({}, "invalid_request"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        ({"grant_type": "password", "username": "x", "password": "y"}, "invalid_request"),
    ]:
        answer = await door.post("token", **form)
        assert (answer.status_code, answer.json()["error"]) == (400, error), form
    answer = await door.sign_in(who, "wrong")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    form = {"content-type": "application/x-www-form-urlencoded"}
    for content, headers in [
        (b"grant_type=password&grant_type=refresh_token", form),
        (b"x" * 20_000, form),
        (b"\xff=1", form),
        (b"{}", {"content-type": "application/json"}),
    ]:
        answer = await door.web.post("/oauth/token", content=content, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), content
    assert (await door.web.get("/oauth/token")).status_code == 405


async def test_a_token_is_revoked_by_who_has_it_and_nothing_is_told_of_others(door: Door):
    for name in ("access_token", "refresh_token"):
        who = await somebody(door)
        tokens = (await door.sign_in(who)).json()
        assert (await door.looked_at(tokens["access_token"], who.company_id))["active"]
        assert (await door.post("revoke", token=tokens[name])).status_code == 200
        assert await door.looked_at(tokens["access_token"], who.company_id) == {"active": False}
    for made_up in ("x", "a.b.c", str(uuid.uuid4())):
        assert (await door.post("revoke", token=made_up)).status_code == 200


async def test_services_look_at_tokens_and_nobody_else_does(door: Door):
    who = await somebody(door)
    tokens = (await door.sign_in(who)).json()
    found = await door.looked_at(tokens["access_token"], who.company_id)
    assert (found["active"], found["sub"], found["username"]) == (
        True, who.id, f"{who.id}@example.com",
    )  # fmt: skip
    assert await door.looked_at("a.b.c", who.company_id) == {"active": False}
    for headers in ({}, {"authorization": "Bearer x"}):
        answer = await door.post("introspect", headers, token=tokens["access_token"])
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    stranger = await door.post(
        "introspect", dict(service_metadata("api-gateway", str(uuid.uuid4()))),
        token=tokens["access_token"],
    )  # fmt: skip
    assert stranger.json()["error"] == "unauthorized_client"
    own = await door.post(
        "introspect", {"authorization": f"Bearer {tokens['access_token']}"},
        token=tokens["access_token"],
    )  # fmt: skip
    assert own.json()["error"] == "unauthorized_client"


async def test_where_everything_is_is_told(door: Door):
    told = (await door.web.get("/.well-known/oauth-authorization-server")).json()
    assert told["issuer"] == str(door.web.base_url).rstrip("/")
    assert told["grant_types_supported"] == ["password", "refresh_token"]
    for name in ("token_endpoint", "revocation_endpoint", "introspection_endpoint"):
        assert (await door.web.post(told[name], data={})).json()["error"] != "server_error"
    assert "keys" in (await door.web.get(told["jwks_uri"])).json()


async def test_who_guesses_is_told_to_wait(door: Door):
    who = await somebody(door)
    answers = [await door.sign_in(who, f"wrong-{number}") for number in range(8)]
    assert answers[-1].status_code == 429
    assert answers[-1].json()["error"] == "temporarily_unavailable"
