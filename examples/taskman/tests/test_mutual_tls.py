"""Promises of mutual TLS between services: who has no certificate of the authority is not heard,
and is not called."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from pydantic import ValidationError
from taskman.authentication.app import SERVICE_DEFINITION as AUTHENTICATION
from taskman.authentication.v1 import authentication_pb2 as wire
from taskman.authentication.v1.authentication_pb2_grpc import AuthenticationServiceStub
from taskman.chassis.errors import Unauthenticated, Unavailable
from taskman.user.app import SERVICE_DEFINITION as USER
from taskman.user.v1 import user_pb2
from taskman.user.v1.user_pb2_grpc import UserServiceStub

from examples.taskman.tests.conftest import World, call, known
from tests.sidecar.authority import Authority

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(blank: World) -> AsyncIterator[World]:
    yield blank
    await blank.close()


def settings(folder: Path, authority: Authority, shown: Authority | None = None) -> dict[str, Any]:
    """Of a service that believes an authority and shows a certificate of it, or of another one."""
    folder.mkdir()
    (folder / "ca.pem").write_bytes(authority.pem)
    _, certificate, _, key = (shown or authority).issue().write(folder)
    return {
        "tls_certificate": certificate,
        "tls_key": key,
        "tls_authority": str(folder / "ca.pem"),
    }


def secure(given: dict[str, Any]) -> grpc.ChannelCredentials:
    names = ("tls_authority", "tls_key", "tls_certificate")
    return grpc.ssl_channel_credentials(*(Path(given[name]).read_bytes() for name in names))


async def test_services_that_show_certificates_call_each_other(world: World, tmp_path: Path):
    authority = Authority()
    ours = settings(tmp_path / "users", authority)
    users = await world.start(USER, **ours)
    who = await known(users)
    asked = user_pb2.GetUserRequest(user_id=who.id)
    async with grpc.aio.secure_channel(users.address, secure(ours)) as channel:
        answer = await call(UserServiceStub(channel).GetUser, asked, who)
        assert answer.user.id == who.id
    plain = await world.channel(users.address)
    with pytest.raises(Unavailable):
        await call(UserServiceStub(plain).GetUser, asked, who)
    nobodys = grpc.ssl_channel_credentials(authority.pem)  # which shows no certificate
    async with grpc.aio.secure_channel(users.address, nobodys) as channel:
        with pytest.raises(Unavailable):
            await call(UserServiceStub(channel).GetUser, asked, who)


async def test_a_service_calls_only_who_shows_a_certificate(world: World, tmp_path: Path):
    authority, stranger = Authority(), Authority()
    right = await world.start(USER, **settings(tmp_path / "right", authority))
    wrong = await world.start(USER, **settings(tmp_path / "wrong", authority, stranger))
    login = wire.LoginRequest(email="nobody@example.com", password="x")
    own = {"key_secret": "k" * 32, "bcrypt_cost": 4}
    for number, (users, error) in enumerate(((right, Unauthenticated), (wrong, Unavailable))):
        ours = settings(tmp_path / str(number), authority)
        peers = {"user-service": users.address}
        service = await world.start(AUTHENTICATION, **ours, peers=peers, **own)
        async with grpc.aio.secure_channel(service.address, secure(ours)) as channel:
            with pytest.raises(error):
                await call(AuthenticationServiceStub(channel).Login, login)


async def test_half_a_certificate_is_refused(world: World, tmp_path: Path):
    given = settings(tmp_path / "half", Authority())
    del given["tls_key"]
    with pytest.raises(ValidationError, match="all of them or none"):
        world.settings(**given)
