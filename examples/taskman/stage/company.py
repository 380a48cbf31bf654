"""A first company, as an operator makes one: its first admin by hand, the others by the admin.

The first admin's role is written down by hand too, and told as IAM's administration tells it;
others are given theirs by the admin. Passwords are set by the link that is sent by e-mail.
"""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from typing import Any, NamedTuple

import aio_pika
import asyncpg
import httpx
import jwt
import pyotp

from taskman_authz.messaging import Event

from .services import Running

PATIENCE = 30.0  # seconds until an event must have had its effect
EXCHANGES = ("auth.events", "user.events", "task.events", "iam.events", "notification.events")


class Person(NamedTuple):
    """A user who has signed in."""

    name: str
    id: str
    email: str
    password: str
    token: str


class Heard:
    """The events that are told, as they come."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._came = asyncio.Condition()

    async def take(self, message: Any) -> None:
        """One came."""
        async with message.process(), self._came:
            self.events.append(Event.decode(message.body))
            self._came.notify_all()

    async def one(self, type: str, **data: str) -> Event:
        """The last event of a type whose data hold these, once there is one."""

        def found() -> list[Event]:
            return [
                each
                for each in self.events
                if each.type == type and data.items() <= each.data.items()
            ]

        async with asyncio.timeout(PATIENCE), self._came:
            await self._came.wait_for(found)
        return found()[-1]


class Company:
    """A company on what runs."""

    def __init__(
        self, running: Running, web: httpx.AsyncClient, channel: Any, heard: Heard
    ) -> None:
        self.id = str(uuid.uuid4())
        self.heard = heard
        self.mailbox = running.mailbox
        self._running = running
        self._web = web
        self._channel = channel

    async def first_admin(self, email: str) -> Person:
        """The user who is there before anybody may add one."""
        id = str(uuid.uuid4())
        connection = await asyncpg.connect(self._running.dsns["user"])
        try:
            async with connection.transaction():
                await connection.execute(
                    "INSERT INTO users (id, email, username, company_id, department)"
                    " VALUES ($1, $2, $3, $4, 'operations')",
                    *(id, email, email.partition("@")[0], self.id),
                )
                await connection.execute(
                    "INSERT INTO user_preferences (user_id, company_id) VALUES ($1, $2)",
                    *(id, self.id),
                )
        finally:
            await connection.close()
        await self._first_role(id)
        return await self._enters("admin", id, email, "admin")

    async def hire(self, admin: Person, name: str, role: str, department: str) -> Person:
        """A user whom an admin adds."""
        new = {"email": f"{name}@example.com", "username": name, "department": department}
        answer = await self._web.post("/users", json=new, headers=bearer(admin))
        answer.raise_for_status()
        user = answer.json()["user"]
        if role != "viewer":  # with which everybody begins
            await self.grant(admin, user["id"], role)
        return await self._enters(name, user["id"], user["email"], role)

    async def grant(self, admin: Person, user_id: str, role: str) -> None:
        """A role that an admin gives."""
        path = f"/users/{user_id}/roles/{role}"
        (await self._web.put(path, json={}, headers=bearer(admin))).raise_for_status()

    async def _first_role(self, user_id: str) -> None:
        connection = await asyncpg.connect(self._running.dsns["iam_admin"])
        try:
            async with connection.transaction():
                await connection.execute(
                    "INSERT INTO user_roles (company_id, user_id, role, assigned_by)"
                    " VALUES ($1, $2, 'admin', 'operator')",
                    *(self.id, user_id),
                )
                await connection.execute(
                    "INSERT INTO role_versions (company_id, user_id, version) VALUES ($1, $2, 1)",
                    *(self.id, user_id),
                )
        finally:
            await connection.close()
        data = {
            "company_id": self.id,
            "subject": f"user:{user_id}",
            "version": 1,
            "roles": [{"name": "admin", "expires_at": None}],
        }
        given: dict[str, Any] = {"company_id": self.id, "actor": "the operator", "data": data}
        event = Event(type="iam.role.assigned", **given)
        exchange = await self._channel.get_exchange("iam.events")
        message = aio_pika.Message(event.encode(), message_id=event.id)
        await exchange.publish(message, event.type, mandatory=True)

    async def sign_in(self, name: str, id: str, email: str, password: str) -> Person:
        """Begin a session."""
        given = {"email": email, "password": password}
        answer = await self._web.post("/auth/login", json=given)
        answer.raise_for_status()
        return Person(name, id, email, password, answer.json()["tokens"]["access_token"])

    async def confirmed(self, person: Person) -> Person:
        """Somebody gets a second factor, and a session that it confirms."""
        headers = bearer(person)
        body = {"password": person.password}
        answer = await self._web.post("/auth/factor", json=body, headers=headers)
        code = pyotp.TOTP(answer.raise_for_status().json()["secret"])
        body = {"code": code.at(int(time.time()) - code.interval)}
        answer = await self._web.post("/auth/factor/confirmation", json=body, headers=headers)
        answer.raise_for_status()
        given = {"email": person.email, "password": person.password, "code": code.now()}
        answer = (await self._web.post("/auth/login", json=given)).raise_for_status()
        return person._replace(token=answer.json()["tokens"]["access_token"])

    async def _enters(self, name: str, id: str, email: str, role: str) -> Person:
        password = secrets.token_urlsafe(12)
        (await self._web.post("/auth/password", json={"email": email})).raise_for_status()
        mail = await self.mailbox.one(email, "Set your password")
        token = mail.get_content().partition("token=")[2].split()[0]
        step = {"set": {"token": token, "password": password}}
        (await self._web.post("/auth/password", json=step)).raise_for_status()
        return await self._with_role(name, id, email, password, role)

    async def _with_role(self, name: str, id: str, email: str, password: str, role: str) -> Person:
        """Sign in until the token has the role: its event is on its way."""
        async with asyncio.timeout(PATIENCE):
            while True:
                person = await self.sign_in(name, id, email, password)
                if role in claims(person.token)["roles"]:
                    return person
                await asyncio.sleep(0.1)

    async def again(self, person: Person, role: str) -> Person:
        """Somebody signs in anew, with a role that they were given."""
        return await self._with_role(*person[:4], role)


def bearer(person: Person) -> dict[str, str]:
    """The header by which they ask."""
    return {"Authorization": f"Bearer {person.token}"}


def claims(token: str) -> dict[str, Any]:
    """What a token says, which its owner may read."""
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found
