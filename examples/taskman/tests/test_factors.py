"""Promises of second factors: codes by time are asked for where there is one, and are good once."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

import jwt
import msgspec
import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from taskman.authentication.factors import STEP, fitting
from taskman.authentication.v1 import authentication_pb2 as wire
from taskman.chassis.errors import AlreadyExists, Denied, NotFound, TooMany, Unauthenticated

from examples.taskman.tests.conftest import Who, call, known, until
from examples.taskman.tests.test_authentication import (
    PASSWORD,
    Doors,
    bearer,
    doors,
    gateway,
    login,
    new_password,
    refreshed,
    reset_token,
    signed_in,
)
from taskman_authz.messaging import Event

asynchronous = pytest.mark.asyncio(loop_scope="module")


SECRET = "JBSWY3DPEHPK3PXP" * 2
__all__ = ["doors"]  # a fixture


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def code(secret: str, ahead: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(time.time()) + ahead * STEP)


async def enrolled(doors: Doors, token: str, password: str = PASSWORD) -> str:
    asked = wire.EnrollSecondFactorRequest(password=password)
    return str((await call(doors.stub.EnrollSecondFactor, asked, bearer(token))).secret)


async def confirm(doors: Doors, token: str, shown: str) -> None:
    asked = wire.ConfirmSecondFactorRequest(code=shown)
    await call(doors.stub.ConfirmSecondFactor, asked, bearer(token))


async def remove(doors: Doors, token: str, user_id: str = "") -> None:
    asked = wire.RemoveSecondFactorRequest(user_id=user_id)
    await call(doors.stub.RemoveSecondFactor, asked, bearer(token))


async def with_factor(doors: Doors, who: Who | None = None) -> tuple[Who, wire.Tokens, str]:
    """Somebody, tokens of a confirmed session, and their secret."""
    who, tokens = await signed_in(doors, who)
    secret = await enrolled(doors, tokens.access_token)
    await confirm(doors, tokens.access_token, code(secret, -1))
    return who, await refreshed(doors, tokens.refresh_token), secret


def with_code(who: Who, shown: str) -> wire.LoginRequest:
    return login(who, code=shown, ip_address=f"10.1.{uuid.uuid4().int % 250}.9")


@given(st.integers(2**30, 2**36), st.integers(-5 * STEP, 5 * STEP))
def test_a_code_fits_in_its_half_minute_and_those_beside_it(now, away):
    shown = pyotp.TOTP(SECRET).at(now + away)
    is_near = abs((now + away) // STEP - now // STEP) <= 1
    # Two half minutes have the same code once in a million: the later one counts.
    near = [now // STEP + each for each in (-1, 0, 1)]
    same = [step for step in near if pyotp.HOTP(SECRET).at(step) == shown]
    assert fitting(SECRET, shown, now) == max(same, default=None)
    assert bool(same) or not is_near


@given(st.text(max_size=8))
def test_what_is_not_six_digits_is_no_code(text):
    is_code = len(text) == 6 and text.isascii() and text.isdigit()
    assert is_code or fitting(SECRET, text, 0.0) is None


@asynchronous
async def test_a_session_is_confirmed_by_a_code_and_its_next_tokens_say_so(doors: Doors):
    who, tokens = await signed_in(doors)
    assert claims(tokens.access_token)["amr"] == ["pwd"]
    asked = wire.EnrollSecondFactorRequest(password=PASSWORD)
    answer = await call(doors.stub.EnrollSecondFactor, asked, bearer(tokens.access_token))
    assert answer.uri.startswith("otpauth://totp/TaskMan:") and answer.secret in answer.uri
    await confirm(doors, tokens.access_token, code(answer.secret))
    tokens = await refreshed(doors, tokens.refresh_token)
    assert claims(tokens.access_token)["amr"] == ["pwd", "otp", "mfa"]
    told = await doors.heard.one("auth.factor.confirmed", lambda it: it.data["user_id"] == who.id)
    assert answer.secret not in str(told)
    query = "SELECT secret FROM second_factors WHERE user_id = $1"
    async with doors.service.database.platform() as transaction:
        rests = await transaction.fetchval(query, who.id)
    assert answer.secret not in rests


@asynchronous
async def test_who_has_a_factor_signs_in_with_a_code_which_is_good_once(doors: Doors):
    who, _, secret = await with_factor(doors)
    with pytest.raises(Unauthenticated, match="a code is needed"):
        await call(doors.stub.Login, with_code(who, ""), gateway())
    for wrong in ("000000" if code(secret) != "000000" else "111111", "x", code(secret, -9)):
        with pytest.raises(Unauthenticated, match="wrong code"):
            await call(doors.stub.Login, with_code(who, wrong), gateway())
    with pytest.raises(Unauthenticated, match="e-mail or password"):  # nothing of the code
        await call(doors.stub.Login, login(who, "something else", code=code(secret)), gateway())
    shown = with_code(who, code(secret, 1))
    answers = await asyncio.gather(
        *(call(doors.stub.Login, shown, gateway()) for _ in range(4)), return_exceptions=True
    )
    (one,) = [each for each in answers if not isinstance(each, BaseException)]
    assert sum(isinstance(each, Unauthenticated) for each in answers) == 3
    assert "mfa" in claims(one.tokens.access_token)["amr"]
    failed = [each for each in doors.heard.events if each.type == "auth.login.failed"]
    assert failed and all(secret not in str(each) for each in failed)


@asynchronous
async def test_a_secret_that_was_never_confirmed_asks_nobody_for_codes(doors: Doors):
    who, tokens = await signed_in(doors)
    first = await enrolled(doors, tokens.access_token)
    second = await enrolled(doors, tokens.access_token)
    assert first != second
    await call(doors.stub.Login, login(who), gateway())
    with pytest.raises(Unauthenticated):
        await confirm(doors, tokens.access_token, code(first))
    await confirm(doors, tokens.access_token, code(second))
    with pytest.raises(AlreadyExists):
        await enrolled(doors, tokens.access_token)


@asynchronous
async def test_a_session_that_was_left_open_is_not_enough(doors: Doors):
    who, tokens = await signed_in(doors)
    with pytest.raises(Unauthenticated, match="wrong password"):
        await enrolled(doors, tokens.access_token, "something else")
    with pytest.raises(NotFound):
        await confirm(doors, tokens.access_token, "123456")
    confirmed = await with_factor(doors, who)
    with pytest.raises(Denied):  # its first tokens do not say that it is confirmed
        await remove(doors, tokens.access_token)
    await remove(doors, confirmed[1].access_token)
    told = await doors.heard.one("auth.factor.removed", lambda it: it.data["user_id"] == who.id)
    assert told.actor == f"user:{who.id}"
    await call(doors.stub.Login, login(who), gateway())


@asynchronous
async def test_codes_are_not_guessed(doors: Doors):
    _, tokens, _ = await with_factor(doors)
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await confirm(doors, tokens.access_token, "abcdef")
    with pytest.raises(TooMany):
        await confirm(doors, tokens.access_token, "abcdef")


async def as_role(doors: Doors, role: str, company_id: str) -> wire.Tokens:
    """Tokens of a confirmed session of somebody who has a role."""
    who = await known(doors.users, company_id=company_id)
    roles = msgspec.json.encode([{"name": role}]).decode()
    async with doors.service.database.company(company_id) as transaction:
        await transaction.execute(
            "INSERT INTO held_roles (user_id, company_id, version, roles) VALUES ($1, $2, 1, $3)",
            *(who.id, company_id, roles),
        )
    await call(doors.stub.ResetPassword, new_password(await reset_token(doors, who)))
    return (await with_factor(doors, who))[1]


@asynchronous
async def test_admins_remove_lost_factors_of_their_company(doors: Doors):
    who, *_ = await with_factor(doors)
    elsewhere = str(uuid.uuid4())
    for role, company, error in (
        ("developer", who.company_id, Denied),
        ("admin", elsewhere, NotFound),
    ):
        with pytest.raises(error):
            await remove(doors, (await as_role(doors, role, company)).access_token, who.id)
    await remove(doors, (await as_role(doors, "admin", who.company_id)).access_token, who.id)
    await call(doors.stub.Login, login(who), gateway())


@asynchronous
async def test_a_factor_goes_with_its_user(doors: Doors):
    who, *_ = await with_factor(doors)
    told = Event(type="user.deleted", company_id=who.company_id, data={"user_id": who.id})
    await doors.world.tell("user.events", told)

    async def is_gone() -> bool:
        query = "SELECT count(*) FROM second_factors WHERE user_id = $1"
        async with doors.service.database.platform() as transaction:
            return bool(await transaction.fetchval(query, who.id) == 0)

    await until(is_gone)
