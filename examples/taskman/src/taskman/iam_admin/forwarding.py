"""Asking the decision point to change or to tell policies and roles, on somebody's behalf.

Law: who it is for is the caller whose token was verified, with what is known of them; the decision
point asks its policies whether they may.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskman_authz.v1 import administration_pb2 as pb
from taskman_authz.v1.administration_pb2_grpc import PolicyAdministrationStub

from ..chassis.caller import Caller
from ..chassis.client import Peer
from ..chassis.pep import About


class Forwarding:
    """Asks `peer` with `token`; `about` is what is known of callers."""

    def __init__(self, peer: Peer, token: str, about: About) -> None:
        self._peer = peer
        self._token = token
        self._about = about
        self._stub: Any = PolicyAdministrationStub(peer.channel)

    async def ask(self, who: Caller, method: str, fields: Mapping[str, Any]) -> Any:
        """What a method answers. Raises ServiceError."""
        request = getattr(pb, f"{method}Request")(
            actor=await self._actor(who), company_id=who.company, **fields
        )
        return await self._peer.ask(getattr(self._stub, method), request, token=self._token)

    async def _actor(self, who: Caller) -> pb.Actor:
        known = await self._about(who) if who.kind == "user" else {}
        actor = pb.Actor(subject=who.name, company_id=who.company)
        given = {**known, "roles": list(who.roles), "company_id": who.company}
        actor.properties.update(given)
        actor.context.update({"mfa": who.mfa})
        return actor
