"""The least that a grpcio server on asyncio and uvloop can do: fixed bytes to every call.

python -m benchmarks.sidecar.echo PORT HEX     (the reply, in hexadecimal digits)
"""

from __future__ import annotations

import sys
from typing import Any

import grpc
import uvloop

SERVICE, METHOD = "benchmarks.Echo", "Echo"


async def serve(port: str, reply: bytes) -> None:
    """Until killed. The handler is generic: no protobuf."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])

    async def handle(_data: bytes, _context: Any) -> bytes:
        return reply

    methods = {METHOD: grpc.unary_unary_rpc_method_handler(handle)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], bytes.fromhex(sys.argv[2])))
