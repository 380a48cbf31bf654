"""A day in a company, told as it happens: every step through the gateway, with what it answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx

from .company import PATIENCE, Company, Person, bearer

Say = Callable[[str], object]


class Story:
    """Plays on `web`, the gateway, and says what it does."""

    def __init__(self, web: httpx.AsyncClient, company: Company, say: Say) -> None:
        self._web = web
        self._company = company
        self._say = say
        self._step = 0

    async def play(self, admin: Person) -> None:
        """All of it. Raises AssertionError where something goes otherwise than it should."""
        company = self._company
        self._tell(f"company {company.id}; its admin signed in as {admin.email}")
        mia = await company.hire(admin, "mia", "project-manager", "engineering")
        self._tell(f"the admin added mia, project manager: user {mia.id}")
        dan = await company.hire(admin, "dan", "developer", "engineering")
        self._tell(f"the admin added dan, developer: user {dan.id}")
        eve = await company.hire(admin, "eve", "viewer", "sales")
        self._tell(f"the admin added eve, viewer: user {eve.id}")

        body = {"name": "Apollo", "members": [mia.id, dan.id]}
        project = (await self._ask(mia, "POST", "/projects", 200, body))["project"]
        body = {"title": "Write the landing page", "project_id": project["id"], "priority": "high"}
        task = (await self._ask(dan, "POST", "/tasks", 200, body))["task"]
        path = f"/tasks/{task['id']}"
        await self._ask(eve, "GET", path, 200)

        denied = await self._ask(eve, "PATCH", path, 403, {"title": "Mine now"})
        assert denied["detail"], "a denial has a reason"
        await self._ask(admin, "PUT", f"/users/{eve.id}/roles/developer", 200, {})
        eve = await company.again(eve, "developer")
        self._tell("eve signed in anew, as a developer")
        await self._ask(eve, "PATCH", path, 403, {"title": "Mine now"})
        self._tell("which is not enough: it is not her task. dan gives it to her")
        await self._ask(dan, "PUT", f"{path}/assignee", 200, {"assignee_id": eve.id})
        mail = await company.mailbox.one(eve.email, "Yours now")
        self._tell(f"eve got a mail: {mail['Subject']}")
        await self._ask(eve, "PATCH", path, 200, {"title": "Write the landing page, shorter"})
        await self._ask(eve, "PATCH", path, 200, {"status": "doing"})
        await self._ask(eve, "PATCH", path, 200, {"status": "done"})
        mail = await company.mailbox.one(dan.email, "Done")
        self._tell(f"dan got a mail: {mail['Subject']}")
        sent = await self._ask(dan, "GET", f"/notifications?user_id={dan.id}", 200)
        assert "Done" in sent["notifications"][0]["subject"], sent
        await self._ask(eve, "POST", "/auth/logout", 200)
        await company.heard.one("auth.logout", user_id=eve.id)

        path = f"/audit/users/{eve.id}"
        await self._ask(mia, "GET", path, 403)
        await self._change_the_policies(admin)
        trail = await self._until_allowed(mia, path)
        self._tell("what the trail says that eve did, the last thing first:")
        for entry in trail["events"]:
            self._say(f"     {entry['timestamp']}  {entry['event_type']:<22} {entry['result']}")
        self._tell("what the services told meanwhile, and who did it:")
        names = {f"user:{each.id}": each.name for each in (admin, mia, dan, eve)}
        for event in company.heard.events:
            if event.company_id == company.id:
                self._say(f"     {event.type:<22} {names.get(event.actor, event.actor)}")

    async def _change_the_policies(self, admin: Person) -> None:
        policy = {
            "id": "managers-see-what-happened",
            "effect": "allow",
            "roles": ["project-manager"],
            "actions": ["audit:activity"],
            "resources": ["audit/*"],
        }
        await self._ask(admin, "POST", "/policies", 403, policy)
        admin = await self._company.confirmed(admin)
        self._tell("the admin got a second factor, and signed in with a code of it")
        await self._ask(admin, "POST", "/policies", 200, policy)

    async def _until_allowed(self, who: Person, path: str) -> dict[str, Any]:
        """What is there once the services have heard of a policy."""
        async with asyncio.timeout(PATIENCE):
            while (await self._web.get(path, headers=bearer(who))).status_code == 403:
                await asyncio.sleep(0.1)
        return await self._ask(who, "GET", path, 200)

    def _tell(self, what: str) -> None:
        self._step += 1
        self._say(f"{self._step:>3}. {what}")

    async def _ask(
        self, who: Person, verb: str, path: str, expected: int, body: Any = None
    ) -> dict[str, Any]:
        answer = await self._web.request(verb, path, json=body, headers=bearer(who))
        found: dict[str, Any] = answer.json()
        detail = f": {found['detail']}" if answer.status_code >= 400 else ""
        shown = "" if body is None else f" {json.dumps(body)}"
        self._tell(f"{who.name}: {verb} {path}{shown} -> {answer.status_code}{detail}")
        assert answer.status_code == expected, answer.text
        return found
