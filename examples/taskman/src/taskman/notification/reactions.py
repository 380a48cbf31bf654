"""What events become: four of them are told to somebody.

Laws: whether it is told the policies say, of the service that told us. Nobody is told what they did
themselves. A user who is gone is told nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from taskman_authz.messaging import Event

from ..chassis.caller import Caller
from ..chassis.database import Transaction
from ..chassis.errors import NotFound
from ..chassis.pep import Pep
from . import access, letters
from .letters import Recipient
from .people import People
from .store import Notifications, find_template
from .templates import render


class Reaction(NamedTuple):
    """An event of a service becomes a template for the user whom a key of its data names."""

    service: str
    template: str
    whom: str
    about: Callable[[Event], Mapping[str, str]]
    link: Callable[[Event], str]  # below the public URL
    types: tuple[str, ...] = ("email",)  # what may hold a secret goes by e-mail alone
    applies: Callable[[Event], bool] = lambda event: True


def _title(event: Event) -> Mapping[str, str]:
    return {"title": str(event.data["title"])}


def _nothing(_event: Event) -> Mapping[str, str]:
    return {}


def _task(event: Event) -> str:
    return f"/tasks/{event.data['task_id']}"


BOTH = ("email", "push")
REACTIONS: Mapping[str, Reaction] = {
    "user.created": Reaction(
        "user-service", "welcome", "user_id", _nothing, lambda _: "/auth/password"
    ),
    "auth.password.reset": Reaction(
        "authentication-service",
        "password-reset",
        "user_id",
        _nothing,
        lambda event: f"/auth/password?{urlencode({'token': event.data['token']})}",
        applies=lambda event: bool(event.data["stage"] == "requested"),
    ),
    "task.assigned": Reaction("task-service", "task-assigned", "assignee_id", _title, _task, BOTH),
    "task.completed": Reaction("task-service", "task-completed", "creator_id", _title, _task, BOTH),
}


class Reactions:
    """Hears what is told, and writes down what it becomes."""

    def __init__(
        self,
        notifications: Notifications,
        people: People,
        pep: Pep,
        public_url: str,
        ways: Collection[str],
    ) -> None:
        self._notifications = notifications
        self._people = people
        self._pep = pep
        self._url = public_url.rstrip("/")
        self._ways = ways  # types that can be sent here

    async def hear(self, transaction: Transaction, event: Event) -> None:
        """The effect of an event, in a transaction of its company."""
        reaction = REACTIONS[event.type]
        user_id = event.data[reaction.whom]
        if not reaction.applies(event) or _is_own(event, user_id):
            return
        try:
            to = await self._people.find(event.company_id or "", user_id)
        except NotFound:
            return
        template = await find_template(transaction, "email", reaction.template)
        link = self._url + reaction.link(event)
        values = {"username": to.username, "link": link, **reaction.about(event)}
        written = render(template, values)
        for type in await self._allowed(reaction, event, to):
            found = [letters.email(to, written)] if type == "email" else letters.pushes(to, written)
            for letter in found:
                await self._notifications.write(transaction, letter)

    async def _allowed(self, reaction: Reaction, event: Event, to: Recipient) -> list[str]:
        """The types by which the service that told us may have it told."""
        teller = Caller("service", reaction.service, to.company_id, (reaction.service,))
        project = str(event.data.get("project_id") or "")
        return [
            type
            for type in reaction.types
            if type in self._ways
            and await self._pep.allows(
                teller, access.SEND[type], access.to_user(to, type, project), {}
            )
        ]


def _is_own(event: Event, user_id: Any) -> bool:
    """Whether somebody did themselves what they would be told. Passwords they ask for themselves,
    and whoever asks is nobody yet."""
    return event.type.startswith("task.") and event.actor == f"user:{user_id}"
