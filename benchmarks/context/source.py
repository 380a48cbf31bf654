"""`python -m benchmarks.context.source`: a source of attributes that answers at once. Prints its
port, and ends with its standard input."""

from __future__ import annotations

import asyncio
import sys

import grpc

from taskman_authz.v1 import attributes_pb2 as pb
from taskman_authz.v1 import attributes_pb2_grpc as services


class Source(services.AttributeServiceServicer):
    """Says of everybody the same."""

    async def GetAttributes(
        self, request: pb.GetAttributesRequest, context: object
    ) -> pb.GetAttributesResponse:
        """All attributes that the question reads."""
        answer = pb.GetAttributesResponse()
        for _ in request.entities:
            answer.entities.add().properties.update(
                {"department": "engineering", "owner": "123", "status": "open"}
            )
        return answer


async def serve() -> None:
    """Serve until nobody is there any more."""
    server = grpc.aio.server()
    services.add_AttributeServiceServicer_to_server(Source(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(None)


if __name__ == "__main__":
    asyncio.run(serve())
