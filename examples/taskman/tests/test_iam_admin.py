"""Promises of IAM administration: nobody has a role that the policies would not let them have."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import grpc
import pytest
import pytest_asyncio
from taskman.chassis.errors import (
    AlreadyExists,
    Conflict,
    Denied,
    InvalidInput,
    NotFound,
    Refused,
    Unauthenticated,
)
from taskman.chassis.fields import stamp
from taskman.chassis.service import Service
from taskman.iam_admin.app import SERVICE_DEFINITION
from taskman.iam_admin.settings import IamSettings
from taskman.iam_admin.store import Roles
from taskman.iam_admin.v1 import iam_admin_pb2 as wire
from taskman.iam_admin.v1.iam_admin_pb2_grpc import IAMAdminServiceStub
from taskman.user.app import SERVICE_DEFINITION as USER
from taskman.user.v1 import user_pb2
from taskman.user.v1.user_pb2_grpc import UserServiceStub

from examples.taskman.tests.conftest import Heard, Who, World, call, known, service_metadata
from taskman_authz.v1 import administration_pb2 as pb
from taskman_authz.v1 import attributes_pb2
from taskman_authz.v1.attributes_pb2_grpc import BindingServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")
TOKEN = "token-of-iam-in-this-test"
VIEWERS = pb.Policy(
    id="viewers-comment", effect="allow", actions=["tasks:comment"], resources=["tasks/*"],
    roles=["viewer"],
)  # fmt: skip


class Desk(NamedTuple):
    service: Service
    users: Service
    stub: Any
    heard: Heard
    channel: grpc.aio.Channel

    async def assign(self, who: Who, whom: Who, role: str, **more: Any) -> list[str]:
        request = wire.AssignRoleToUserRequest(user_id=whom.id, role=role, **more)
        answer = await call(self.stub.AssignRoleToUser, request, who)
        return [each.name for each in answer.roles]

    async def revoke(self, who: Who, whom: Who, role: str) -> list[str]:
        request = wire.RevokeRoleFromUserRequest(user_id=whom.id, role=role)
        answer = await call(self.stub.RevokeRoleFromUser, request, who)
        return [each.name for each in answer.roles]

    async def ask(self, method: str, who: Who, **fields: Any) -> Any:
        request = getattr(wire, f"{method}Request")(**fields)
        return await call(getattr(self.stub, method), request, who)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(blank: World) -> AsyncIterator[Desk]:
    decides = await blank.decision_point(TOKEN)
    heard = await blank.hear("iam.events", "user.events")
    users = await blank.start(USER)
    peers = {"user-service": users.address, "authorization-service": decides.address}
    service = await blank.start(
        SERVICE_DEFINITION, peers=peers, authz_token=TOKEN, expiry_interval=0.05
    )
    channel = await blank.channel(service.address)
    yield Desk(service, users, IAMAdminServiceStub(channel), heard, channel)
    await blank.close()


class Staff(NamedTuple):
    admin: Who
    manager: Who
    newcomer: Who


async def staff(desk: Desk) -> Staff:
    """Of a company: an admin with a second factor, a manager of engineering, and somebody there."""
    admin = (await known(desk.users, "admin"))._replace(mfa=True)
    manager = await known(desk.users, "project-manager", company_id=admin.company_id)
    newcomer = await known(desk.users, company_id=admin.company_id)
    return Staff(admin, manager, newcomer)


# -- who holds roles -------------------------------------------------------------------------------


async def test_a_role_is_given_and_taken_and_each_change_is_told(desk):
    team = await staff(desk)
    assert await desk.assign(team.admin, team.newcomer, "developer") == ["developer"]
    both = await desk.assign(team.admin, team.newcomer, "viewer")
    assert both == ["developer", "viewer"]
    assert await desk.revoke(team.admin, team.newcomer, "developer") == ["viewer"]
    subject = f"user:{team.newcomer.id}"

    def about(version: int) -> Any:
        return lambda event: event.data["subject"] == subject and event.data["version"] == version

    given = await desk.heard.one("iam.role.assigned", about(2))
    assert [role["name"] for role in given.data["roles"]] == ["developer", "viewer"]
    assert (given.company_id, given.actor) == (team.admin.company_id, f"user:{team.admin.id}")
    taken = await desk.heard.one("iam.role.revoked", about(3))
    assert [role["name"] for role in taken.data["roles"]] == ["viewer"]
    with pytest.raises(NotFound, match="do not hold"):
        await desk.revoke(team.admin, team.newcomer, "developer")


async def test_who_may_give_which_role_is_the_policies_to_say(desk):
    team = await staff(desk)
    assert await desk.assign(team.manager, team.newcomer, "developer") == ["developer"]
    sales = await known(desk.users, company_id=team.admin.company_id, department="sales")
    for who, whom, role in [
        (team.manager, team.newcomer, "admin"),  # not theirs to give
        (team.manager, sales, "developer"),  # of another department
        (team.newcomer, team.newcomer, "developer"),
        (team.admin, team.admin, "auditor"),  # nobody gives themselves one
        (await known(desk.users, "auditor"), team.newcomer, "viewer"),
    ]:
        with pytest.raises(Denied):
            await desk.assign(who, whom, role)
    with pytest.raises(Unauthenticated):
        await call(desk.stub.AssignRoleToUser, wire.AssignRoleToUserRequest())


async def test_a_company_keeps_an_admin(desk):
    team = await staff(desk)
    other = await known(desk.users, "admin", company_id=team.admin.company_id)
    await desk.assign(other, team.admin, "admin")
    with pytest.raises(Denied):  # the only one that is written down
        await desk.revoke(other, team.admin, "admin")
    await desk.assign(team.admin, other, "admin")
    assert await desk.revoke(other, team.admin, "admin") == []
    with pytest.raises(Denied):
        await desk.revoke(team.admin, other, "admin")


async def test_two_who_take_each_others_last_role_do_not_both(desk):
    roles, company = Roles(desk.service.database), str(uuid.uuid4())
    one, two = str(uuid.uuid4()), str(uuid.uuid4())
    for user in (one, two):
        await roles.assign(company, user, "admin", None, "user:x")
    # Both were decided when the other one was there.
    done = await asyncio.gather(
        roles.revoke(company, one, "admin", "user:x", 1),
        roles.revoke(company, two, "admin", "user:x", 1),
        return_exceptions=True,
    )
    assert [isinstance(each, Conflict) for each in done].count(True) == 1


async def test_a_role_ends_when_it_was_to_end_and_that_is_told(desk):
    team = await staff(desk)
    ends = datetime.now(UTC) + timedelta(seconds=0.5)
    await desk.assign(team.admin, team.newcomer, "viewer")
    held = await desk.assign(team.admin, team.newcomer, "developer", expires_at=stamp(ends))
    assert held == ["developer", "viewer"]
    about = f"user:{team.newcomer.id}"
    ended = await desk.heard.one("iam.role.revoked", lambda event: event.data["subject"] == about)
    assert datetime.now(UTC) >= ends
    assert [role["name"] for role in ended.data["roles"]] == ["viewer"]
    assert (ended.data["role"], ended.actor) == ("developer", "service:iam-admin-service")
    with pytest.raises(InvalidInput, match="time to come"):
        await desk.assign(team.admin, team.newcomer, "viewer", expires_at=stamp(ends))


async def test_who_is_new_begins_with_the_default_role_and_who_is_gone_holds_none(desk):
    team = await staff(desk)
    async with grpc.aio.insecure_channel(desk.users.address) as channel:
        stub: Any = UserServiceStub(channel)
        new = user_pb2.CreateUserRequest(
            email=f"{uuid.uuid4()}@example.com", username=uuid.uuid4().hex[:12]
        )
        user = (await call(stub.CreateUser, new, team.admin)).user
        about = f"user:{user.id}"
        begun = await desk.heard.one(
            "iam.role.assigned", lambda event: event.data["subject"] == about
        )
        assert [role["name"] for role in begun.data["roles"]] == ["viewer"]
        # However often it is told.
        created = await desk.heard.one("user.created", lambda e: e.data["user_id"] == user.id)
        async with desk.service.database.company(team.admin.company_id) as transaction:
            await Roles(desk.service.database).welcome(transaction, created, "viewer")
            held = await transaction.fetch(
                "SELECT role FROM user_roles WHERE user_id = $1", user.id
            )
        assert [row["role"] for row in held] == ["viewer"]
        await call(stub.DeleteUser, user_pb2.DeleteUserRequest(user_id=user.id), team.admin)
        gone = await desk.heard.one("iam.role.revoked", lambda e: e.data["subject"] == about)
    assert (gone.data["roles"], gone.data["version"]) == ([], begun.data["version"] + 1)


async def test_a_role_that_there_is_not_is_not_given(desk):
    team = await staff(desk)
    with pytest.raises(NotFound, match="no role `developper`"):
        await desk.assign(team.admin, team.newcomer, "developper")


async def test_decision_points_are_told_what_everybody_holds(desk):
    team = await staff(desk)
    ends = datetime.now(UTC) + timedelta(hours=1)
    await desk.assign(team.admin, team.newcomer, "developer", expires_at=stamp(ends))
    await desk.assign(team.admin, team.manager, "viewer")
    await desk.revoke(team.admin, team.manager, "viewer")
    ask = BindingServiceStub(desk.channel).Snapshot
    told = {}
    async for each in ask(
        attributes_pb2.SnapshotRequest(), metadata=service_metadata("authorization-service")
    ):
        told[each.company_id, each.subject] = each
    newcomer = told[team.admin.company_id, f"user:{team.newcomer.id}"]
    assert [(role.name, role.expires_at) for role in newcomer.roles] == [("developer", stamp(ends))]
    manager = told[team.admin.company_id, f"user:{team.manager.id}"]
    assert (list(manager.roles), manager.version) == ([], 2)
    for nobody in (team.admin.metadata, service_metadata("x", team.admin.company_id), ()):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async for _ in ask(attributes_pb2.SnapshotRequest(), metadata=nobody):
                raise AssertionError("something was told")
        assert caught.value.code() in (
            grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED,
        )  # fmt: skip


async def test_roles_of_another_company_are_not_there(desk):
    team, others = await staff(desk), await staff(desk)
    await desk.assign(team.admin, team.newcomer, "viewer")
    with pytest.raises(Refused, match="no such active user"):
        await desk.assign(others.admin, team.newcomer, "viewer")
    with pytest.raises(NotFound):
        await desk.revoke(others.admin, team.newcomer, "viewer")


@pytest.mark.parametrize(("field", "value"), [("user_id", "me"), ("role", ""), ("role", "x" * 300)])
async def test_what_is_no_assignment_is_refused_by_its_field(desk, field, value):
    team = await staff(desk)
    request = wire.AssignRoleToUserRequest(user_id=team.newcomer.id, role="viewer")
    setattr(request, field, value)
    with pytest.raises(InvalidInput) as caught:
        await call(desk.stub.AssignRoleToUser, request, team.admin)
    assert caught.value.field == field


# -- roles and policies ---------------------------------------------------------------------------


async def test_roles_are_kept_by_the_decision_point(desk):
    team = await staff(desk)
    role = pb.Role(name=f"tester-{uuid.uuid4().hex[:8]}", description="Tests.")
    written = (await desk.ask("CreateRole", team.admin, role=role)).written
    assert written.revision > 0
    with pytest.raises(AlreadyExists):
        await desk.ask("CreateRole", team.admin, role=role)
    role.description = "Tests more."
    await desk.ask("UpdateRole", team.admin, role=role)
    listed = (await desk.ask("ListRoles", team.admin, text="tester-")).entries
    assert [each.role for each in listed if each.role.name == role.name] == [role]
    await desk.ask("DeleteRole", team.admin, name=role.name)
    with pytest.raises(NotFound):
        await desk.ask("DeleteRole", team.admin, name=role.name)
    told = await desk.heard.one("iam.role.created", lambda e: role.name in str(e.data))
    assert told.company_id == team.admin.company_id
    assert await desk.heard.one("iam.role.updated", lambda e: role.name in str(e.data))
    assert await desk.heard.one("iam.role.deleted", lambda e: role.name in str(e.data))


async def test_policies_are_kept_by_the_decision_point(desk):
    team = await staff(desk)
    await desk.ask("CreatePolicy", team.admin, policy=VIEWERS)
    listed = await desk.ask("ListPolicies", team.admin, text="viewers-c")
    assert [each.policy.id for each in listed.entries] == [VIEWERS.id]
    other = pb.Policy()
    other.CopyFrom(VIEWERS)
    other.description = "Viewers say something too."
    await desk.ask("UpdatePolicy", team.admin, policy=other)
    attached = {"policy": VIEWERS.id, "role": "auditor"}
    await desk.ask("AttachPolicyToRole", team.admin, **attached)
    [entry] = (await desk.ask("ListPolicies", team.admin, text="viewers-c")).entries
    assert sorted(entry.policy.roles) == ["auditor", "viewer"]
    await desk.ask("DetachPolicyFromRole", team.admin, **attached)
    await desk.ask("DeletePolicy", team.admin, id=VIEWERS.id)
    with pytest.raises(NotFound):
        await desk.ask("DeletePolicy", team.admin, id=VIEWERS.id)
    company = team.admin.company_id
    for verb in ("created", "updated", "deleted"):
        event = await desk.heard.one(
            f"iam.policy.{verb}", lambda e: e.company_id == company and VIEWERS.id in str(e.data)
        )
        assert event.actor == f"user:{team.admin.id}"


async def test_what_does_not_compile_is_refused_with_its_place(desk):
    team = await staff(desk)
    wrong = pb.Policy()
    wrong.CopyFrom(VIEWERS)
    wrong.condition = "resource.owner = subject.id"
    with pytest.raises(InvalidInput):
        await desk.ask("CreatePolicy", team.admin, policy=wrong)
    assert not (await desk.ask("ListPolicies", team.admin, text="viewers-c")).entries


async def test_a_page_is_of_some_size(desk):
    team = await staff(desk)
    for method in ("ListRoles", "ListPolicies"):
        with pytest.raises(InvalidInput, match="0 to 200"):
            await desk.ask(method, team.admin, page_size=-1)
        assert (await desk.ask(method, team.admin, page_size=1)).next_page_token


async def test_nobody_changes_policies_who_may_not(desk):
    team = await staff(desk)
    hurried = team.admin._replace(mfa=False)
    for who in (hurried, team.manager, team.newcomer):
        with pytest.raises(Denied):
            await desk.ask("CreatePolicy", who, policy=VIEWERS)
    with pytest.raises(Denied):
        await desk.ask("ListPolicies", team.newcomer)


async def test_policies_of_one_company_are_not_anothers(desk):
    team, others = await staff(desk), await staff(desk)
    await desk.ask("CreatePolicy", team.admin, policy=VIEWERS)
    assert not (await desk.ask("ListPolicies", others.admin, text="viewers-c")).entries
    await desk.ask("CreatePolicy", others.admin, policy=VIEWERS)  # of the same name
    await desk.ask("DeletePolicy", others.admin, id=VIEWERS.id)
    assert (await desk.ask("ListPolicies", team.admin, text="viewers-c")).entries
    with pytest.raises(NotFound):  # what is of every company is the platform's
        await desk.ask("DeletePolicy", others.admin, id="admins-manage-roles")


async def test_a_short_token_is_no_setting(blank: World):
    with pytest.raises(ValueError, match="authz_token"):
        blank.settings(IamSettings, authz_token="short")
