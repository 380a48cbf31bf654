"""Users and projects, as their services know them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.json_format import MessageToDict

from ..chassis.attributes import RESOURCE, SUBJECT, about_subject, attributes_of
from ..chassis.caller import Caller
from ..chassis.client import Peer
from ..chassis.errors import InvalidInput, NotFound
from ..user.v1 import user_pb2
from ..user.v1.user_pb2_grpc import UserServiceStub
from .letters import Recipient


class People:
    """Who they are, by the services `users` and `tasks`."""

    def __init__(self, users: Peer, tasks: Peer) -> None:
        self._users = users
        self._tasks = tasks
        self._about = about_subject(users)

    async def about(self, who: Caller) -> Mapping[str, Any]:
        """What policies know of a caller."""
        worked_in = await attributes_of(self._tasks, who.company, SUBJECT, who.kind, who.id)
        return {**(worked_in or {}), **await self._about(who)}

    async def find(self, company_id: str, user_id: str) -> Recipient:
        """A user who is active. Raises NotFound."""
        stub: Any = UserServiceStub(self._users.channel)
        asked = user_pb2.GetUserRequest(user_id=user_id)
        user = (await self._users.ask(stub.GetUser, asked, company_id)).user
        if not user.is_active:
            raise NotFound("there is no such active user")
        return Recipient(
            id=user.id,
            company_id=user.company_id,
            email=user.email,
            username=user.username,
            preferences=MessageToDict(user.preferences.preferences),
        )

    async def require_member(self, company_id: str, project_id: str, user_id: str) -> None:
        """Raises NotFound where there is no such project, InvalidInput where a user does not work
        in it."""
        known = await attributes_of(self._tasks, company_id, RESOURCE, "projects", project_id)
        if known is None:
            raise NotFound("there is no such project")
        if user_id not in known.get("members", ()):
            raise InvalidInput("user_id", "expected somebody who works in the project")
