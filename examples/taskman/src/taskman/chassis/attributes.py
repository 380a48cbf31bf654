"""Attributes of what a service keeps, for decision points and for other services' PEPs
(`taskman_authz.v1.AttributeService`), and those that another service gives.

Laws: only services ask. A service answers for its own types and for the company that is asked
about; what is another company's is not there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import IntEnum
from typing import Any

from google.protobuf.json_format import MessageToDict

from taskman_authz.v1 import attributes_pb2 as wire
from taskman_authz.v1 import attributes_pb2_grpc as rpc

from .caller import Caller, caller
from .client import Peer
from .errors import Denied, InvalidInput
from .fields import is_id, read_id

SERVICE = "taskman_authz.v1.AttributeService"
MOST = 100  # entities of one question
# The attributes of entities of one type, by id; ids that do not exist are left out.
Lookup = Callable[[str, Sequence[str]], Awaitable[Mapping[str, Mapping[str, Any]]]]


class Attributes(rpc.AttributeServiceServicer):
    """Answers by `lookups`, by type of entity."""

    def __init__(self, lookups: Mapping[str, Lookup]) -> None:
        self._lookups = lookups

    async def GetAttributes(
        self, request: wire.GetAttributesRequest, _context: Any
    ) -> wire.GetAttributesResponse:
        """The attributes of entities, in their order."""
        who = caller()
        if who.kind != "service" or who.company_id not in ("", request.company_id):
            raise Denied("attributes are for services")
        company_id = read_id("company_id", request.company_id)
        if len(request.entities) > MOST:
            raise InvalidInput("entities", f"expected at most {MOST}")
        found: dict[str, Mapping[str, Mapping[str, Any]]] = {}
        for type in {entity.type for entity in request.entities} & self._lookups.keys():
            ids = [each.id for each in request.entities if each.type == type and is_id(each.id)]
            found[type] = await self._lookups[type](company_id, ids)
        answer = wire.GetAttributesResponse()
        for entity in request.entities:
            attributes = found.get(entity.type, {}).get(entity.id)
            one = answer.entities.add()
            if attributes is not None:
                wanted = set(entity.names)
                one.properties.update(
                    {
                        name: value
                        for name, value in attributes.items()
                        if value is not None and ("*" in wanted or name in wanted)
                    }
                )
        return answer


class Kind(IntEnum):
    """Whether somebody who asks is meant, or something that is asked about."""

    SUBJECT = wire.EntityRequest.KIND_SUBJECT
    RESOURCE = wire.EntityRequest.KIND_RESOURCE


async def attributes_of(
    peer: Peer, company_id: str, kind: Kind, type: str, id: str
) -> dict[str, Any] | None:
    """All that a service knows of an entity of a company; None: it does not exist there. Raises
    ServiceError."""
    request = wire.GetAttributesRequest(company_id=company_id)
    request.entities.add(kind=kind.value, type=type, id=id, names=["*"])
    stub: Any = rpc.AttributeServiceStub(peer.channel)
    answer = await peer.ask(stub.GetAttributes, request, company_id)
    entity = answer.entities[0]
    return MessageToDict(entity.properties) if entity.HasField("properties") else None


def about_subject(peer: Peer) -> Callable[[Caller], Awaitable[Mapping[str, Any]]]:
    """What another service knows of a caller, for `Pep`. Who does not exist there is not active."""

    async def about(who: Caller) -> Mapping[str, Any]:
        known = await attributes_of(peer, who.company_id, Kind.SUBJECT, who.kind, who.id)
        return {"is_active": False} if known is None else known

    return about
