"""Attributes of what a service keeps, for decision points and for other services' PEPs
(`taskman_authz.v1.AttributeService`), and those that another service gives.

Laws: only services ask. A service answers for its own types and for the company that is asked
about; what is another company's is not there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from google.protobuf.json_format import MessageToDict

from taskman_authz import RequestError
from taskman_authz.integrations.sources import AttributeSource, Lookup
from taskman_authz.v1 import attributes_pb2 as wire
from taskman_authz.v1 import attributes_pb2_grpc as rpc

from .caller import Caller, caller
from .client import Peer
from .errors import Denied, InvalidInput
from .fields import is_id, read_id

SERVICE = "taskman_authz.v1.AttributeService"
SUBJECT, RESOURCE = wire.EntityRequest.KIND_SUBJECT, wire.EntityRequest.KIND_RESOURCE
ROLES = "taskman_authz.v1.BindingService"


def require_service(company_id: str = "") -> None:
    """Raises Denied where it is not a service that calls, or it calls for another company."""
    who = caller()
    if who.kind != "service" or who.company_id not in ("", company_id):
        raise Denied("this is for services")


class Attributes(AttributeSource):
    """Attributes by type of entity, for services."""

    def __init__(self, lookups: Mapping[str, Lookup]) -> None:
        super().__init__({type: partial(_of_ids, lookup) for type, lookup in lookups.items()})

    async def GetAttributes(
        self, request: wire.GetAttributesRequest, context: Any
    ) -> wire.GetAttributesResponse:
        """`AttributeSource.GetAttributes`"""
        require_service(request.company_id)
        read_id("company_id", request.company_id)
        try:
            return await super().GetAttributes(request, context)
        except RequestError as error:
            raise InvalidInput("entities", str(error)) from error


async def _of_ids(lookup: Lookup, company_id: str, ids: Sequence[str]) -> Any:
    return await lookup(company_id, [id for id in ids if is_id(id)])


async def attributes_of(
    peer: Peer, company_id: str, kind: wire.EntityRequest.Kind.ValueType, type: str, id: str
) -> dict[str, Any] | None:
    """All that a service knows of an entity of a company; None: it does not exist there. Raises
    ServiceError."""
    request = wire.GetAttributesRequest(company_id=company_id)
    request.entities.add(kind=kind, type=type, id=id, names=["*"])
    stub: Any = rpc.AttributeServiceStub(peer.channel)
    answer = await peer.ask(stub.GetAttributes, request, company_id)
    entity = answer.entities[0]
    return MessageToDict(entity.properties) if entity.HasField("properties") else None


def about_subject(peer: Peer) -> Callable[[Caller], Awaitable[Mapping[str, Any]]]:
    """What another service knows of a caller, for `Pep`. Who does not exist there is not active."""

    async def about(who: Caller) -> Mapping[str, Any]:
        known = await attributes_of(peer, who.company_id, SUBJECT, who.kind, who.id)
        return {"is_active": False} if known is None else known

    return about
