"""Promises of the user service."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import grpc
import pytest
import pytest_asyncio
from google.protobuf.field_mask_pb2 import FieldMask
from taskman.chassis.errors import AlreadyExists, Denied, InvalidInput, NotFound, Unauthenticated
from taskman.chassis.service import Service
from taskman.user.app import SERVICE_DEFINITION
from taskman.user.v1 import user_pb2 as wire
from taskman.user.v1.user_pb2_grpc import UserServiceStub

from examples.taskman.tests.conftest import Heard, Who, World, call, known, service_metadata
from taskman_authz.v1 import attributes_pb2
from taskman_authz.v1.attributes_pb2_grpc import AttributeServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Users(NamedTuple):
    service: Service
    stub: Any
    heard: Heard
    channel: grpc.aio.Channel
    world: World


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def users(blank: World) -> AsyncIterator[Users]:
    heard = await blank.hear("user.events")
    service = await blank.start(SERVICE_DEFINITION)
    channel = await blank.channel(service.address)
    yield Users(service, UserServiceStub(channel), heard, channel, blank)
    await blank.close()


def request(**more: Any) -> wire.CreateUserRequest:
    name = uuid.uuid4().hex[:12]
    given = {"email": f"{name}@example.com", "username": name, "department": "engineering"}
    return wire.CreateUserRequest(**given | more)


async def first_admin(users: Users) -> Who:
    return await known(users.service, "admin")


async def added(users: Users, admin: Who, *roles: str, **more: Any) -> Who:
    user = (await call(users.stub.CreateUser, request(**more), admin)).user
    return Who(user.id, user.company_id, roles)


async def test_admin_adds_a_user_and_it_is_told(users: Users):
    admin = await first_admin(users)
    made = (await call(users.stub.CreateUser, request(first_name="Ann"), admin)).user
    assert (made.company_id, made.first_name, made.is_active) == (admin.company_id, "Ann", True)
    assert (made.preferences.language, made.preferences.timezone) == ("en", "UTC")
    event = await users.heard.one("user.created", lambda each: each.data["user_id"] == made.id)
    assert (event.company_id, event.actor) == (admin.company_id, f"user:{admin.id}")
    assert event.data["email"] == made.email
    assert await sample(users, "taskman_users_total", company=admin.company_id) == 2


async def sample(users: Users, name: str, **labels: str) -> float | None:
    return users.service.metrics.registry.get_sample_value(name, labels)


async def test_only_admins_add_users(users: Users):
    admin = await first_admin(users)
    viewer = await added(users, admin, "viewer")
    with pytest.raises(Denied):
        await call(users.stub.CreateUser, request(), viewer)
    assert await sample(
        users, "taskman_permission_checks_total", company=admin.company_id, allowed="false"
    )


@pytest.mark.parametrize(
    "field, value",
    [("email", "nobody"), ("username", "a b"), ("first_name", "x" * 101), ("avatar_url", "http:x")],
)
async def test_user_that_cannot_be_is_refused_by_its_field(users: Users, field: str, value: str):
    admin = await first_admin(users)
    with pytest.raises(InvalidInput) as caught:
        await call(users.stub.CreateUser, request(**{field: value}), admin)
    assert caught.value.field == field
    assert value not in caught.value.message


async def test_address_is_of_one_user(users: Users):
    admin = await first_admin(users)
    asked = request()
    await call(users.stub.CreateUser, asked, admin)
    with pytest.raises(AlreadyExists):
        await call(users.stub.CreateUser, request(email=asked.email.upper()), admin)


async def test_user_is_seen_by_colleagues_and_by_nobody_else(users: Users):
    admin = await first_admin(users)
    viewer = await added(users, admin, "viewer")
    asked = wire.GetUserRequest(user_id=viewer.id)
    for _ in range(2):  # from the database, then from the cache
        assert (await call(users.stub.GetUser, asked, admin)).user.id == viewer.id
    key = f"user:profile:{viewer.id}:{admin.company_id}"
    assert 0 < await users.service.redis.ttl(key) <= 1_800
    stranger = await first_admin(users)
    with pytest.raises(NotFound):
        await call(users.stub.GetUser, asked, stranger)
    roleless = await added(users, admin)
    with pytest.raises(Denied):
        await call(users.stub.GetUser, asked, roleless)
    with pytest.raises(InvalidInput):
        await call(users.stub.GetUser, wire.GetUserRequest(user_id="7"), admin)


async def test_only_services_find_a_user_by_address(users: Users):
    admin = await first_admin(users)
    made = (await call(users.stub.CreateUser, request(), admin)).user
    asked = wire.GetUserRequest(email=made.email)
    found = await call(users.stub.GetUser, asked, service_metadata("authentication-service"))
    assert found.user.id == made.id
    with pytest.raises(InvalidInput):
        await call(users.stub.GetUser, asked, admin)
    with pytest.raises(Denied):
        await call(users.stub.GetUser, asked, service_metadata("audit-service"))


async def test_user_edits_their_profile_but_not_what_decides_about_them(users: Users):
    admin = await first_admin(users)
    user = await added(users, admin, "viewer")
    change = wire.User(first_name="Bo", preferences=wire.Preferences(theme="dark"))
    change.preferences.preferences.update({"columns": 3})
    mask = FieldMask(paths=["first_name", "theme", "preferences"])
    asked = wire.UpdateUserRequest(user_id=user.id, user=change, update_mask=mask)
    after = (await call(users.stub.UpdateUser, asked, user)).user
    assert (after.first_name, after.preferences.theme) == ("Bo", "dark")
    assert after.preferences.preferences["columns"] == 3
    event = await users.heard.one("user.updated", lambda each: each.data["user_id"] == user.id)
    assert event.data["fields"] == ["first_name", "preferences", "theme"]
    # What was cached before is not seen any more.
    found = (await call(users.stub.GetUser, wire.GetUserRequest(user_id=user.id), user)).user
    assert found == after
    asked.update_mask.paths.append("department")
    with pytest.raises(Denied):
        await call(users.stub.UpdateUser, asked, user)


async def test_update_says_what_is_wrong_and_stays_in_its_company(users: Users):
    admin = await first_admin(users)
    user = await added(users, admin, "viewer")
    for paths, field in ([["id"], "update_mask"], [[], "update_mask"], [["theme"], "user.theme"]):
        mask = FieldMask(paths=paths)
        asked = wire.UpdateUserRequest(user_id=user.id, user=wire.User(), update_mask=mask)
        with pytest.raises(InvalidInput) as caught:
            await call(users.stub.UpdateUser, asked, admin)
        assert caught.value.field == field
    asked.update_mask.paths[:] = ["location"]
    with pytest.raises(NotFound):
        await call(users.stub.UpdateUser, asked, await first_admin(users))


async def test_who_is_deactivated_may_do_nothing_until_activated(users: Users):
    admin = await first_admin(users)
    user = await added(users, admin, "viewer")
    asked = wire.UpdateUserRequest(user_id=user.id, update_mask=FieldMask(paths=["is_active"]))
    await call(users.stub.UpdateUser, asked, admin)
    await users.heard.one("user.deactivated", lambda each: each.data["user_id"] == user.id)
    with pytest.raises(Denied):
        await call(users.stub.GetUser, wire.GetUserRequest(user_id=user.id), user)
    asked.user.is_active = True
    with pytest.raises(Denied):
        await call(users.stub.UpdateUser, asked, user)
    await call(users.stub.UpdateUser, asked, admin)
    await users.heard.one("user.activated", lambda each: each.data["user_id"] == user.id)
    await call(users.stub.GetUser, wire.GetUserRequest(user_id=user.id), user)


async def test_user_is_deleted_by_an_admin_who_is_not_they(users: Users):
    admin = await first_admin(users)
    user = await added(users, admin, "viewer")
    asked = wire.DeleteUserRequest(user_id=user.id)
    with pytest.raises(Denied):
        await call(users.stub.DeleteUser, asked, user)
    with pytest.raises(Denied):
        await call(users.stub.DeleteUser, wire.DeleteUserRequest(user_id=admin.id), admin)
    with pytest.raises(InvalidInput):
        await call(users.stub.DeleteUser, wire.DeleteUserRequest(), admin)
    with pytest.raises(NotFound):
        await call(users.stub.DeleteUser, asked, await first_admin(users))
    await call(users.stub.DeleteUser, asked, admin)
    await users.heard.one("user.deleted", lambda each: each.data["user_id"] == user.id)
    with pytest.raises(NotFound):
        await call(users.stub.GetUser, wire.GetUserRequest(user_id=user.id), admin)


async def test_lists_are_paged_and_of_one_company(users: Users):
    admin = await first_admin(users)
    ids = [(await added(users, admin, department=name)).id for name in ("a", "b", "a", "a")]
    await first_admin(users)
    seen: list[str] = []
    asked = wire.ListUsersRequest(page_size=2)
    while True:
        answer = await call(users.stub.ListUsers, asked, admin)
        seen += [user.id for user in answer.users]
        asked.page_token = answer.next_page_token
        if not asked.page_token:
            break
    assert seen == [*reversed(ids), admin.id]
    some = await call(users.stub.ListUsers, wire.ListUsersRequest(department="b"), admin)
    assert [user.id for user in some.users] == [ids[1]]
    inactive = await call(users.stub.ListUsers, wire.ListUsersRequest(is_active=False), admin)
    assert list(inactive.users) == []


async def test_search_finds_beginnings_and_takes_no_patterns(users: Users):
    admin = await first_admin(users)
    user = await added(users, admin, "viewer", first_name="Zoë", last_name="50%_off")
    for query, found in (("zo", [user.id]), ("50%", [user.id]), ("%o", []), ("50_", [])):
        answer = await call(users.stub.SearchUsers, wire.SearchUsersRequest(query=query), admin)
        assert [each.id for each in answer.users] == found, query
    stranger = await first_admin(users)
    answer = await call(users.stub.SearchUsers, wire.SearchUsersRequest(query="zo"), stranger)
    assert list(answer.users) == []


@pytest.mark.parametrize("method", ["ListUsers", "SearchUsers"])
async def test_lists_refuse_bad_pages_and_who_may_not(users: Users, method: str):
    admin = await first_admin(users)
    kind = getattr(wire, f"{method}Request")
    more = {"query": "ann"} if method == "SearchUsers" else {}
    ask = getattr(users.stub, method)
    for wrong in ({"page_size": 1000}, {"page_size": -1}, {"page_token": "x"}):
        with pytest.raises(InvalidInput):
            await call(ask, kind(**more, **wrong), admin)
    with pytest.raises(Denied):
        await call(ask, kind(**more), await added(users, admin))


async def test_no_token_and_a_wrong_token_are_nobody(users: Users):
    asked = wire.GetUserRequest(user_id=str(uuid.uuid4()))
    forged = Who(str(uuid.uuid4()), "", ("admin",))
    for metadata in ((), (("authorization", "Bearer x.y.z"),), forged.metadata):
        with pytest.raises(Unauthenticated):
            await call(users.stub.GetUser, asked, metadata)


async def test_services_learn_what_policies_may_know_of_users(users: Users):
    admin = await first_admin(users)
    user = await added(users, admin, "viewer")
    stub = AttributeServiceStub(users.channel)
    asked = attributes_pb2.GetAttributesRequest(company_id=admin.company_id)
    for id in (user.id, str(uuid.uuid4())):
        asked.entities.add(kind=1, type="user", id=id, names=["department", "is_active"])
    answer = await call(stub.GetAttributes, asked, service_metadata("task-service"))
    assert dict(answer.entities[0].properties) == {"department": "engineering", "is_active": True}
    assert not answer.entities[1].HasField("properties")
    asked.company_id = str(uuid.uuid4())
    answer = await call(stub.GetAttributes, asked, service_metadata("task-service"))
    assert not answer.entities[0].HasField("properties")
    with pytest.raises(Denied):
        await call(stub.GetAttributes, asked, admin)
