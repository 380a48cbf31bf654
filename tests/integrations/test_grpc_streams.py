"""Methods with streams, and those that no list names."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from taskman_authz import PDP, ArgumentError
from taskman_authz.integrations.grpc import AsyncGuardInterceptor, GuardInterceptor
from tests.integrations.app import PATIENCE, ROOT

PDP_OF_TASKS = PDP.from_path(ROOT / "policies" / "taskman")
WIRE = (StringValue.FromString, StringValue.SerializeToString)
CODEC = (StringValue.SerializeToString, StringValue.FromString)
METHODS = {
    "/t.T/Watch": ("tasks:view", "tasks/{value}"),
    "/t.T/Change": ("tasks:edit", "tasks/{value}"),
    "/t.T/Upload": ("tasks:view", "tasks/all"),
    "/t.T/UploadOne": ("tasks:view", "tasks/{value}"),
    "/t.T/UploadMade": ("tasks:view", lambda message: "tasks/1"),
}


def viewer(_context: Any) -> Any:
    return {"type": "user", "id": "vic", "roles": ["viewer"]}


def outcome(calls: Any) -> Any:
    try:
        return [each.value for each in calls()]
    except grpc.RpcError as error:
        return error.code().name


EXPECTED = {
    "Watch": ["1", "1"],
    "Change": "PERMISSION_DENIED",
    "Unnamed": "PERMISSION_DENIED",
    "Upload": ["2"],
    "UploadOne": "PERMISSION_DENIED",  # there is no message to read it from
    "UploadMade": "PERMISSION_DENIED",
    "Reflected": ["1", "1"],
}


def asked(port: int) -> dict[str, Any]:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        message, found = StringValue(value="1"), {}
        for name in EXPECTED:
            method = "/open.O/Reflected" if name == "Reflected" else f"/t.T/{name}"
            if name.startswith("Upload"):
                send = channel.stream_unary(method, *CODEC)
                found[name] = outcome(
                    lambda send=send: [send(iter([message, message]), timeout=PATIENCE)]
                )
            else:
                read = channel.unary_stream(method, *CODEC)
                found[name] = outcome(lambda read=read: read(message, timeout=PATIENCE))
        return found


def handlers(watch: Any, upload: Any) -> Any:
    streamed = grpc.unary_stream_rpc_method_handler(watch, *WIRE)
    sent = grpc.stream_unary_rpc_method_handler(upload, *WIRE)
    methods = {"Watch": streamed, "Change": streamed, "Unnamed": streamed}
    methods |= dict.fromkeys(("Upload", "UploadOne", "UploadMade"), sent)
    return (
        grpc.method_handlers_generic_handler("t.T", methods),
        grpc.method_handlers_generic_handler("open.O", {"Reflected": streamed}),
    )


def test_streams_are_guarded_before_they_begin():
    guard = GuardInterceptor(PDP_OF_TASKS, subject=viewer, methods=METHODS, public=["/open.O/"])

    def watch(request: Any, context: Any) -> Iterator[Any]:
        yield from (request, request)

    def upload(requests: Any, context: Any) -> Any:
        return StringValue(value=str(len(list(requests))))

    server = grpc.server(ThreadPoolExecutor(2), interceptors=[guard])
    server.add_generic_rpc_handlers(handlers(watch, upload))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        assert asked(port) == EXPECTED
    finally:
        server.stop(None).wait(PATIENCE)


@pytest.mark.parametrize("form", ["generator", "writer"])
async def test_streams_of_an_async_server_are_guarded_before_they_begin(form):
    guard = AsyncGuardInterceptor(
        PDP_OF_TASKS, subject=viewer, methods=METHODS, public=["/open.O/"]
    )

    async def generate(request: Any, context: Any) -> Any:
        yield request
        yield request

    async def write(request: Any, context: Any) -> None:
        await context.write(request)
        await context.write(request)

    async def upload(requests: Any, context: Any) -> Any:
        return StringValue(value=str(len([each async for each in requests])))

    server = grpc.aio.server(interceptors=[guard])
    server.add_generic_rpc_handlers(handlers(generate if form == "generator" else write, upload))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        assert await asyncio.to_thread(asked, port) == EXPECTED
    finally:
        await server.stop(None)


@pytest.mark.parametrize("name", ["GetTask", "/t.T", "/t.T/Get/Task", 7])
def test_a_method_has_its_full_name(name):
    with pytest.raises(ArgumentError, match="methods: expected `/package.Service/Method`"):
        GuardInterceptor(PDP_OF_TASKS, subject=viewer, methods={name: ("tasks:view", "tasks/1")})
