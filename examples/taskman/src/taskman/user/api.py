"""The RPCs of users, each in five beats: who, find, require, decide, save and say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prometheus_client import Gauge

from taskman_authz.messaging import Event

from ..chassis.caller import caller
from ..chassis.errors import InvalidInput
from ..chassis.fields import page_token, read_email, read_id, read_page, read_text, stamp
from ..chassis.pep import Pep
from . import access, domain, events
from .domain import User
from .store import Users
from .v1 import user_pb2 as wire
from .v1 import user_pb2_grpc as rpc

SERVICE = "taskman.user.v1.UserService"


class UserService(rpc.UserServiceServicer):
    """Answers for users."""

    def __init__(self, users: Users, pep: Pep, total: Gauge) -> None:
        self._users = users
        self._pep = pep
        self._total = total  # by company

    async def CreateUser(self, request: wire.CreateUserRequest, _: Any) -> wire.CreateUserResponse:
        """Add a user to the caller's company."""
        who = caller()
        await self._pep.require(who, access.CREATE, access.new(who))
        user, said = domain.create(request, who.company, who.name)
        user, count = await self._users.add(user, said)
        self._total.labels(who.company).set(count)
        return wire.CreateUserResponse(user=message(user))

    async def GetUser(self, request: wire.GetUserRequest, _: Any) -> wire.GetUserResponse:
        """A user, by id or, for a service without a company, by address."""
        who = caller()
        if request.WhichOneof("key") == "email" and who.kind == "service" and not who.company_id:
            user = await self._users.by_email(read_email("email", request.email))
        elif request.WhichOneof("key") == "user_id":
            user = await self._users.get(who.company, read_id("user_id", request.user_id))
        else:
            raise InvalidInput("user_id", "expected an id")
        await self._pep.require(who, access.VIEW, access.resource(user, who))
        return wire.GetUserResponse(user=message(user))

    async def UpdateUser(self, request: wire.UpdateUserRequest, _: Any) -> wire.UpdateUserResponse:
        """Change a user, or whether they are active."""
        who = caller()
        fields = domain.changed_fields(request.update_mask.paths)
        user = await self._users.get(who.company, read_id("user_id", request.user_id))
        resource = access.resource(user, who)
        if "is_active" in fields:
            action = access.ACTIVATE if request.user.is_active else access.DEACTIVATE
            await self._pep.require(who, action, resource)
        others = [name for name in fields if name != "is_active"]
        if others:
            await self._pep.require(who, access.EDIT, resource, {"fields": others})

        def change(found: User) -> tuple[User, list[Event]]:
            return domain.update(found, request.user, fields, who.name)

        user = await self._users.change(who.company, user.id, change)
        return wire.UpdateUserResponse(user=message(user))

    async def DeleteUser(self, request: wire.DeleteUserRequest, _: Any) -> wire.DeleteUserResponse:
        """Remove a user."""
        who = caller()
        user = await self._users.get(who.company, read_id("user_id", request.user_id))
        await self._pep.require(who, access.DELETE, access.resource(user, who))
        said = [events.about("user.deleted", user, who.name)]
        self._total.labels(who.company).set(await self._users.remove(user, said))
        return wire.DeleteUserResponse()

    async def ListUsers(self, request: wire.ListUsersRequest, _: Any) -> wire.ListUsersResponse:
        """A page of the company's users."""
        who = caller()
        page = read_page(request.page_size, request.page_token)
        department = read_text("department", request.department, 100, 0)
        is_active = request.is_active if request.HasField("is_active") else None
        await self._pep.require(who, access.LIST, access.many(who))
        users = await self._users.page(who.company, page, department, is_active)
        return wire.ListUsersResponse(**_page(users, page.size))

    async def SearchUsers(
        self, request: wire.SearchUsersRequest, _: Any
    ) -> wire.SearchUsersResponse:
        """A page of those whose names or address begin with a text."""
        who = caller()
        page = read_page(request.page_size, request.page_token)
        query = read_text("query", request.query, 100, 2)
        await self._pep.require(who, access.SEARCH, access.many(who))
        users = await self._users.search(who.company, page, query)
        return wire.SearchUsersResponse(**_page(users, page.size))

    async def attributes(
        self, company_id: str, ids: Sequence[str]
    ) -> Mapping[str, Mapping[str, Any]]:
        """What policies may know of users, by id."""
        names = ("company_id", "is_active", "department")
        return {
            user.id: {name: getattr(user, name) for name in names}
            for user in await self._users.some(company_id, ids)
        }


def _page(users: list[User], size: int) -> dict[str, Any]:
    shown = users[:size]
    more = len(users) > size and shown[-1].created_at
    token = page_token(more, shown[-1].id) if more else ""
    return {"users": [message(user) for user in shown], "next_page_token": token}


def message(user: User) -> wire.User:
    """A user on the wire."""
    same = ("id", "email", "username", "first_name", "last_name", "avatar_url", "company_id")
    preferences = wire.Preferences(language=user.language, timezone=user.timezone, theme=user.theme)
    preferences.preferences.update(user.preferences)
    return wire.User(
        **{name: getattr(user, name) for name in same},
        department=user.department,
        location=user.location,
        is_active=user.is_active,
        created_at=stamp(user.created_at),
        updated_at=stamp(user.updated_at),
        preferences=preferences,
    )
