"""A gRPC server whose methods ask before they run. Messages are StringValues, so that nothing has
to be generated for it.

.venv/bin/python examples/grpc_server.py [PORT]
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf.wrappers_pb2 import StringValue
from tasks import POLICIES, TASKS, user_of  # type: ignore[import-not-found]  # beside this file

from taskman_authz import PDP
from taskman_authz.integrations.grpc import GuardInterceptor

SERVICE = "tasks.v1.TaskService"


def current_user(context: grpc.ServicerContext) -> Any:
    """Who asks. None is answered with UNAUTHENTICATED."""
    return user_of(str(dict(context.invocation_metadata()).get("authorization")))


guard = GuardInterceptor(
    PDP.from_path(POLICIES),
    subject=current_user,
    methods={
        f"/{SERVICE}/GetTask": ("tasks:view", "tasks/{value}"),  # a field of the message
        f"/{SERVICE}/EditTask": ("tasks:edit", lambda message: TASKS[message.value]),
    },
    public=[f"/{SERVICE}/Ping"],
)


def title_of(request: StringValue, _context: Any) -> StringValue:
    """The title of a task."""
    return StringValue(value=TASKS.get(request.value, {}).get("title", ""))


def make_server(port: int) -> tuple[grpc.Server, int]:
    """A server, and the port that it got."""
    server = grpc.server(ThreadPoolExecutor(4), interceptors=[guard])
    handler = grpc.unary_unary_rpc_method_handler(
        title_of, StringValue.FromString, StringValue.SerializeToString
    )
    # `Forgotten` is in no list: the interceptor answers PERMISSION_DENIED.
    methods = dict.fromkeys(("GetTask", "EditTask", "Forgotten", "Ping"), handler)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
    return server, server.add_insecure_port(f"127.0.0.1:{port}")


if __name__ == "__main__":
    server, port = make_server(int(sys.argv[1]) if sys.argv[1:] else 50052)
    server.start()
    print(f"running on 127.0.0.1:{port}", flush=True)
    server.wait_for_termination()
