"""Promises of the authentication service."""

from __future__ import annotations

import asyncio
import json
import urllib.request
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import jwt
import pytest
import pytest_asyncio
from pydantic import SecretStr
from taskman.authentication.app import JWKS, SERVICE_DEFINITION
from taskman.authentication.domain import digest
from taskman.authentication.keys import AHEAD, SigningKeys
from taskman.authentication.settings import AuthenticationSettings
from taskman.authentication.v1 import authentication_pb2 as wire
from taskman.authentication.v1.authentication_pb2_grpc import AuthenticationServiceStub
from taskman.chassis.database import Database, prepare
from taskman.chassis.errors import (
    Denied,
    InvalidInput,
    NotFound,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from taskman.chassis.service import Service
from taskman.user.app import SERVICE_DEFINITION as USER_SERVICE
from taskman.user.v1 import user_pb2
from taskman.user.v1.user_pb2_grpc import UserServiceStub

from examples.taskman.tests.conftest import (
    Heard,
    Who,
    World,
    call,
    known,
    service_metadata,
    until,
)
from taskman_authz.messaging import Event
from tools.servers import Stack
from tools.servers.processes import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")
PASSWORD = "correct horse battery staple"


def gateway() -> tuple[tuple[str, str], ...]:
    """Who calls for users. A token lasts a minute: a new one each time."""
    return service_metadata("api-gateway")


class Doors(NamedTuple):
    service: Service
    users: Service
    stub: Any
    user_stub: Any
    heard: Heard
    world: World


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def doors(blank: World) -> AsyncIterator[Doors]:
    heard = await blank.hear("auth.events")
    port = free_port()
    es256 = {"jwt_algorithm": "ES256", "jwks_url": f"http://127.0.0.1:{port}{JWKS}"}
    users = await blank.start(USER_SERVICE, **es256)
    service = await blank.start(
        SERVICE_DEFINITION,
        **es256,
        http_listen=f"127.0.0.1:{port}",
        peers={"user-service": users.address},
        key_secret="k" * 32,
        bcrypt_cost=4,
    )
    stub = AuthenticationServiceStub(await blank.channel(service.address))
    user_stub = UserServiceStub(await blank.channel(users.address))
    yield Doors(service, users, stub, user_stub, heard, blank)
    await blank.close()


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


def email(who: Who) -> str:
    return f"{who.id}@example.com"


async def reset_token(doors: Doors, who: Who) -> str:
    await call(doors.stub.ResetPassword, wire.ResetPasswordRequest(email=email(who)))
    event = await doors.heard.one(
        "auth.password.reset",
        lambda each: each.data["user_id"] == who.id and each.data["stage"] == "requested",
    )
    return str(event.data["token"])


def new_password(token: str, password: str = PASSWORD) -> wire.ResetPasswordRequest:
    return wire.ResetPasswordRequest(set=wire.NewPassword(token=token, password=password))


async def with_password(doors: Doors) -> Who:
    who = await known(doors.users)
    await call(doors.stub.ResetPassword, new_password(await reset_token(doors, who)))
    return who


def login(who: Who, password: str = PASSWORD, **more: str) -> wire.LoginRequest:
    return wire.LoginRequest(email=email(who), password=password, **more)


async def signed_in(doors: Doors, who: Who | None = None) -> tuple[Who, wire.Tokens]:
    who = who or await with_password(doors)
    ip = f"10.{uuid.uuid4().int % 250}.{uuid.uuid4().int % 250}.7"
    asked = login(who, ip_address=ip, user_agent="Firefox")
    return who, (await call(doors.stub.Login, asked, gateway())).tokens


async def verified(doors: Doors, token: str) -> wire.VerifyTokenResponse:
    return await call(
        doors.stub.VerifyToken, wire.VerifyTokenRequest(access_token=token), gateway()
    )


async def refreshed(doors: Doors, token: str) -> wire.Tokens:
    asked = wire.RefreshTokenRequest(refresh_token=token)
    return (await call(doors.stub.RefreshToken, asked)).tokens


# -- login ---------------------------------------------------------------------------------------


async def test_who_knows_the_password_gets_tokens_of_their_company(doors: Doors):
    who, tokens = await signed_in(doors)
    claims = jwt.decode(tokens.access_token, options={"verify_signature": False})
    assert claims.keys() >= {"sub", "email", "company_id", "roles", "iat", "exp", "jti"}
    assert (claims["sub"], claims["company_id"]) == (who.id, who.company_id)
    assert claims["exp"] - claims["iat"] == 3600
    event = await doors.heard.one("auth.login.success", lambda each: each.data["user_id"] == who.id)
    assert (event.company_id, event.data["user_agent"]) == (who.company_id, "Firefox")
    assert event.data["ip_address"].startswith("10.")
    count = doors.service.metrics.registry.get_sample_value
    assert count("taskman_logins_total", {"company": who.company_id, "success": "true"}) == 1


async def test_token_opens_another_service_by_its_public_key(doors: Doors):
    who, tokens = await signed_in(doors)
    asked = user_pb2.GetUserRequest(user_id=who.id)
    found = await call(doors.user_stub.GetUser, asked, bearer(tokens.access_token))
    assert found.user.id == who.id
    forged = jwt.encode({"sub": who.id}, "x" * 32, "HS256")
    with pytest.raises(Unauthenticated):
        await call(doors.user_stub.GetUser, asked, bearer(forged))


async def test_wrong_password_and_unknown_address_are_answered_alike(doors: Doors):
    who = await with_password(doors)
    stranger = Who(str(uuid.uuid4()), "", ())
    without = await known(doors.users)
    said = set()
    for asked in (login(who, "wrong"), login(stranger), login(without), login(who, "x\0" * 200)):
        with pytest.raises(Unauthenticated) as caught:
            await call(doors.stub.Login, asked)
        said.add(caught.value.text)
    assert said == {"wrong e-mail or password"}
    for each in (who, stranger):
        event = await doors.heard.one(
            "auth.login.failed", lambda event, each=each: event.data["email"] == email(each)
        )
        assert (event.company_id or "") == each.company_id


async def test_login_says_what_is_no_address(doors: Doors):
    for asked in (
        wire.LoginRequest(email="nobody", password="x"),
        wire.LoginRequest(email="a@example.com", user_agent="x" * 2000),
    ):
        with pytest.raises(InvalidInput):
            await call(doors.stub.Login, asked)
    with pytest.raises(InvalidInput):
        await call(doors.stub.Login, wire.LoginRequest(email="a@b.cd", ip_address="x"), gateway())


async def test_five_failures_close_the_door_for_that_place_only(doors: Doors):
    who = await with_password(doors)
    for address in (email(who), f"{uuid.uuid4()}@example.com"):
        asked = wire.LoginRequest(email=address, password="wrong", ip_address="10.1.1.1")
        answers = await asyncio.gather(
            *(call(doors.stub.Login, asked, gateway()) for _ in range(9)), return_exceptions=True
        )
        kinds = [type(each).__name__ for each in answers]
        assert (kinds.count("Unauthenticated"), kinds.count("TooMany")) == (5, 4)
    with pytest.raises(TooMany):
        await call(doors.stub.Login, login(who, ip_address="10.1.1.1"), gateway())
    await call(doors.stub.Login, login(who, ip_address="10.1.1.2"), gateway())


async def test_who_is_deactivated_or_deleted_is_signed_out_and_stays_out(doors: Doors):
    who, tokens = await signed_in(doors)
    company = who.company_id
    for type in ("user.deactivated", "user.deleted"):
        async with doors.users.database.company(company) as transaction:
            await transaction.execute("UPDATE users SET is_active = false WHERE id = $1", who.id)
        await doors.world.tell("user.events", Event(type=type, company_id=company, data=user(who)))

        async def is_out() -> bool:
            try:
                await verified(doors, tokens.access_token)
            except Unauthenticated:
                return True
            return False

        await until(is_out)
        with pytest.raises(Unauthenticated):
            await signed_in(doors, who)
        with pytest.raises(Unauthenticated):
            await refreshed(doors, tokens.refresh_token)
    async with doors.service.database.company(company) as transaction:
        assert await transaction.fetchval("SELECT count(*) FROM credentials") == 0


def user(who: Who) -> dict[str, str]:
    return {"user_id": who.id}


async def test_roles_are_those_that_iam_told_and_end_with_the_token(doors: Doors):
    who = await with_password(doors)
    soon = datetime.now(UTC) + timedelta(minutes=5)
    roles: list[dict[str, Any]] = [
        {"name": "developer"},
        {"name": "team-lead", "expires_at": soon.isoformat()},
        {"name": "admin", "expires_at": (soon - timedelta(hours=1)).isoformat()},
    ]
    ids: list[str] = []
    for version, held in ((2, roles), (1, [{"name": "auditor"}])):  # the older one comes later
        data = {"company_id": who.company_id, "subject": f"user:{who.id}", "version": version}
        told = Event(
            type="iam.role.assigned", company_id=who.company_id, data={**data, "roles": held}
        )
        await doors.world.tell("iam.events", told)
        ids.append(told.id)

    async def are_known() -> bool:
        async with doors.service.database.company(who.company_id) as transaction:
            count = "SELECT count(*) FROM inbox WHERE id = ANY($1::text[])"
            return await transaction.fetchval(count, ids) == 2

    await until(are_known)
    _, tokens = await signed_in(doors, who)
    claims = jwt.decode(tokens.access_token, options={"verify_signature": False})
    assert claims["roles"] == ["developer", "team-lead"]
    assert claims["exp"] == int(soon.timestamp())


# -- sessions ------------------------------------------------------------------------------------


async def test_session_is_in_the_database_and_in_redis_for_seven_days(doors: Doors):
    who, tokens = await signed_in(doors)
    async with doors.service.database.company(who.company_id) as transaction:
        row = await transaction.fetchrow("SELECT *, expires_at - now() AS lasts FROM sessions")
    assert timedelta(days=6.9) < row["lasts"] <= timedelta(days=7)
    assert row["refresh_token"] == digest(tokens.refresh_token)  # not the token itself
    left = await doors.service.redis.ttl(f"auth:session:{row['id']}:{who.company_id}")
    assert 6.9 * 86_400 < left <= 7 * 86_400


async def test_logout_ends_the_session_for_who_verifies(doors: Doors):
    who, tokens = await signed_in(doors)
    await verified(doors, tokens.access_token)
    await call(doors.stub.Logout, wire.LogoutRequest(), bearer(tokens.access_token))
    event = await doors.heard.one("auth.logout", lambda each: each.data["user_id"] == who.id)
    assert event.company_id == who.company_id
    for refused in (verified(doors, tokens.access_token), refreshed(doors, tokens.refresh_token)):
        with pytest.raises(Unauthenticated):
            await refused
    with pytest.raises(NotFound):
        await call(doors.stub.Logout, wire.LogoutRequest(), bearer(tokens.access_token))
    with pytest.raises(Unauthenticated):
        await call(doors.stub.Logout, wire.LogoutRequest())


async def test_nobody_ends_the_session_of_another(doors: Doors):
    who, tokens = await signed_in(doors)
    claims = jwt.decode(tokens.access_token, options={"verify_signature": False})
    signing = doors.service.tokens.keys
    assert isinstance(signing, SigningKeys)
    colleague = await signing.sign({**claims, "sub": str(uuid.uuid4())})
    with pytest.raises(Denied):
        await call(doors.stub.Logout, wire.LogoutRequest(), bearer(colleague))
    foreigner = await signing.sign({**claims, "company_id": str(uuid.uuid4())})
    with pytest.raises(NotFound):
        await call(doors.stub.Logout, wire.LogoutRequest(), bearer(foreigner))
    await verified(doors, tokens.access_token)


async def test_session_does_not_end_behind_the_back_of_redis(doors: Doors, servers: Stack):
    _, tokens = await signed_in(doors)
    servers.redis.stop()
    try:
        with pytest.raises(Unavailable):
            await call(doors.stub.Logout, wire.LogoutRequest(), bearer(tokens.access_token))
        await verified(doors, tokens.access_token)  # by the database
    finally:
        servers.redis.start()


async def test_refresh_token_is_good_once_and_its_second_use_ends_the_session(doors: Doors):
    who, first = await signed_in(doors)
    second = await refreshed(doors, first.refresh_token)
    assert second.refresh_token != first.refresh_token
    await doors.heard.one("auth.token.refreshed", lambda each: each.data["user_id"] == who.id)
    assert (await verified(doors, second.access_token)).user_id == who.id
    with pytest.raises(Unauthenticated, match="used before"):
        await refreshed(doors, first.refresh_token)
    for token in (second.access_token, first.access_token):
        with pytest.raises(Unauthenticated):
            await verified(doors, token)
    with pytest.raises(Unauthenticated):
        await refreshed(doors, second.refresh_token)
    event = await doors.heard.one("auth.logout", lambda each: each.data["user_id"] == who.id)
    assert event.data["why"] == "refresh token reused"


async def test_of_two_at_once_with_one_refresh_token_at_most_one_gets_tokens(doors: Doors):
    _, tokens = await signed_in(doors)
    answers = await asyncio.gather(
        *(refreshed(doors, tokens.refresh_token) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(each, wire.Tokens) for each in answers) == 1
    with pytest.raises(Unauthenticated):
        await verified(doors, tokens.access_token)


async def test_made_up_refresh_token_ends_no_session(doors: Doors):
    _, tokens = await signed_in(doors)
    session = tokens.refresh_token.partition(".")[0]
    for made_up in (f"{session}.x", "x", str(uuid.uuid4())):
        with pytest.raises(Unauthenticated):
            await refreshed(doors, made_up)
    with pytest.raises(InvalidInput):
        await refreshed(doors, "")
    await verified(doors, tokens.access_token)


async def test_session_that_has_ended_by_time_is_not_renewed(doors: Doors):
    who, tokens = await signed_in(doors)
    async with doors.service.database.company(who.company_id) as transaction:
        await transaction.execute("UPDATE sessions SET expires_at = now() - interval '1 second'")
    with pytest.raises(Denied):
        await refreshed(doors, tokens.refresh_token)


# -- tokens --------------------------------------------------------------------------------------


async def test_services_verify_tokens_and_nobody_else_does(doors: Doors):
    who, tokens = await signed_in(doors)
    answer = await verified(doors, tokens.access_token)
    assert (answer.user_id, answer.company_id) == (who.id, who.company_id)
    assert answer.email == email(who)
    assert answer.expires_at == tokens.expires_at
    asked = wire.VerifyTokenRequest(access_token=tokens.access_token)
    with pytest.raises(Denied):
        await call(doors.stub.VerifyToken, asked, bearer(tokens.access_token))
    stranger = service_metadata("task-service", str(uuid.uuid4()))
    with pytest.raises(Denied):
        await call(doors.stub.VerifyToken, asked, stranger)
    with pytest.raises(Unauthenticated):
        await verified(doors, tokens.access_token[:-4] + "AAAA")
    with pytest.raises(InvalidInput):
        await verified(doors, "")


async def published_keys(doors: Doors) -> list[dict[str, str]]:
    def fetch() -> Any:
        with urllib.request.urlopen(f"http://{doors.service.http_address}{JWKS}") as answer:
            return json.load(answer)["keys"]

    return await asyncio.to_thread(fetch)


async def test_public_keys_are_told(doors: Doors):
    _, tokens = await signed_in(doors)
    [key] = await published_keys(doors)
    assert key["kid"] == jwt.get_unverified_header(tokens.access_token)["kid"]
    assert (key["alg"], key["use"], "d" in key) == ("ES256", "sig", False)


@asynccontextmanager
async def keys_of_their_own(doors: Doors) -> AsyncIterator[tuple[Database, Any]]:
    settings = doors.world.settings(AuthenticationSettings, key_secret="k" * 32)
    dsn = settings.postgres_dsn.get_secret_value()
    await prepare(dsn, SERVICE_DEFINITION.package)
    database = await Database.connect(dsn, 2, 5)
    yield database, settings
    await database.close()


async def test_keys_are_published_before_they_sign_and_until_their_tokens_end(doors: Doors):
    async with keys_of_their_own(doors) as (database, settings):

        async def pass_by(time: timedelta) -> SigningKeys:
            """What a process finds that starts when the time has passed."""
            async with database.pool.acquire() as connection:
                await connection.execute(
                    "UPDATE signing_keys SET signs_from = signs_from - $1::interval,"
                    " verifies_until = verifies_until - $1::interval",
                    time,
                )
            return SigningKeys(settings, database)

        async def ids(keys: SigningKeys) -> list[str]:
            return [each["kid"] for each in (await keys.published())["keys"]]

        async def signer(keys: SigningKeys) -> str:
            return str(jwt.get_unverified_header(await keys.sign({}))["kid"])

        life = timedelta(seconds=settings.key_life)
        [old] = await ids(SigningKeys(settings, database))
        keys = await pass_by(life - AHEAD)
        old_too, new = await ids(keys)
        assert (old_too, await signer(keys)) == (old, old)
        keys = await pass_by(AHEAD)
        assert await signer(keys) == new
        assert (await keys.find(old))[1] == "ES256"
        keys = await pass_by(timedelta(seconds=settings.access_life) + AHEAD)
        assert await ids(keys) == [new]
        with pytest.raises(Unauthenticated):
            await keys.find(old)


async def test_processes_that_start_at_once_have_one_key(doors: Doors):
    async with keys_of_their_own(doors) as (database, settings):
        processes = [SigningKeys(settings, database) for _ in range(4)]
        first, *others = await asyncio.gather(*(each.published() for each in processes))
        assert len(first["keys"]) == 1 and others == [first] * 3


async def test_signing_keys_rest_encrypted(doors: Doors):
    async with doors.service.database.platform() as transaction:
        pem = await transaction.fetchval("SELECT private_key FROM signing_keys LIMIT 1")
    assert "ENCRYPTED PRIVATE KEY" in pem
    settings = doors.service.settings.model_copy(update={"key_secret": SecretStr("z" * 32)})
    with pytest.raises(Unavailable):
        await SigningKeys(settings, doors.service.database).published()


async def test_one_secret_signs_where_the_settings_say_so(doors: Doors):
    service = await doors.world.start(
        SERVICE_DEFINITION,
        peers={"user-service": doors.users.address},
        key_secret="k" * 32,
        bcrypt_cost=4,
    )
    stub = AuthenticationServiceStub(await doors.world.channel(service.address))
    who = await known(doors.users)
    await call(stub.ResetPassword, wire.ResetPasswordRequest(email=email(who)))
    event = await doors.heard.one("auth.password.reset", lambda it: it.data["user_id"] == who.id)
    await call(stub.ResetPassword, new_password(event.data["token"]))
    token = (await call(stub.Login, login(who))).tokens.access_token
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    asked = wire.VerifyTokenRequest(access_token=token)
    assert (await call(stub.VerifyToken, asked, gateway())).user_id == who.id


# -- passwords -----------------------------------------------------------------------------------


async def test_reset_sets_a_password_once_and_ends_all_sessions(doors: Doors):
    who, tokens = await signed_in(doors)
    doors.heard.events.clear()
    token = await reset_token(doors, who)
    await call(doors.stub.ResetPassword, new_password(token, "another long password"))
    await doors.heard.one(
        "auth.password.reset",
        lambda each: each.data["user_id"] == who.id and each.data["stage"] == "done",
    )
    with pytest.raises(Unauthenticated):
        await verified(doors, tokens.access_token)
    with pytest.raises(Unauthenticated):
        await call(doors.stub.Login, login(who, ip_address="10.9.9.9"), gateway())
    await call(doors.stub.Login, login(who, "another long password"), gateway())
    with pytest.raises(Unauthenticated):
        await call(doors.stub.ResetPassword, new_password(token))


async def test_reset_tells_nobody_whether_an_address_is_known(doors: Doors):
    who = await known(doors.users)
    unknown = wire.ResetPasswordRequest(email="nobody@example.com")
    expected = await call(doors.stub.ResetPassword, unknown)
    asked = wire.ResetPasswordRequest(email=email(who))
    for _ in range(5):
        assert await call(doors.stub.ResetPassword, asked) == expected
    marker = await known(doors.users)
    await reset_token(doors, marker)  # those before it are looked at by now
    mails = [each for each in doors.heard.events if each.data.get("user_id") == who.id]
    assert len(mails) == 3


async def test_reset_refuses_bad_tokens_and_bad_passwords(doors: Doors):
    who = await known(doors.users)
    token = await reset_token(doors, who)
    for password in ("short", "ä" * 40, "x" * 73):
        with pytest.raises(InvalidInput) as caught:
            await call(doors.stub.ResetPassword, new_password(token, password))
        assert caught.value.field == "set.password"
    with pytest.raises(InvalidInput):
        await call(doors.stub.ResetPassword, wire.ResetPasswordRequest())
    async with doors.service.database.company(who.company_id) as transaction:
        await transaction.execute("UPDATE password_resets SET expires_at = now()")
    for bad in (token, "made-up"):
        with pytest.raises(Unauthenticated):
            await call(doors.stub.ResetPassword, new_password(bad))
