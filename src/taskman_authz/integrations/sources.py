"""A source of attributes over gRPC: what a service owns is told to decision points that ask.

    source = AttributeSource({"tasks": tasks.attributes})
    attributes_pb2_grpc.add_AttributeServiceServicer_to_server(source, server)

Laws: a source answers for its own types, for the company that is asked about, and in the order of
the question; what it does not know is told as nothing. Who may ask is for whoever serves it to
say: by mutual TLS, by a token (`serve --source-token`), in an interceptor.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from ..errors import RequestError
from ..v1 import attributes_pb2 as pb
from ..v1 import attributes_pb2_grpc as rpc

MOST = 1_000  # entities of one question
# The attributes of entities of one type, by id, of a company ("": of none). Ids that do not exist
# are left out, as are attributes that have no value (None).
Lookup = Callable[[str, Sequence[str]], Awaitable[Mapping[str, Mapping[str, Any]]]]


class AttributeSource(rpc.AttributeServiceServicer):
    """`taskman_authz.v1.AttributeService` by `lookups`, by type of entity, for `grpc.aio`."""

    def __init__(self, lookups: Mapping[str, Lookup]) -> None:
        self._lookups = lookups

    async def GetAttributes(
        self, request: pb.GetAttributesRequest, _context: Any
    ) -> pb.GetAttributesResponse:
        """Raises RequestError for a question that is too long."""
        if len(request.entities) > MOST:
            raise RequestError("entities", f"expected at most {MOST}")
        found: dict[str, Mapping[str, Mapping[str, Any]]] = {}
        for type in {each.type for each in request.entities} & self._lookups.keys():
            ids = dict.fromkeys(each.id for each in request.entities if each.type == type)
            found[type] = await self._lookups[type](request.company_id, [*ids])
        answer = pb.GetAttributesResponse()
        for entity in request.entities:
            told = answer.entities.add()
            attributes = found.get(entity.type, {}).get(entity.id)
            if attributes is not None:
                told.properties.update(_wanted(attributes, set(entity.names)))
        return answer


def _wanted(attributes: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {
        name: value
        for name, value in attributes.items()
        if value is not None and ("*" in names or name in names)
    }
