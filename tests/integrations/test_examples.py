"""Each example of a framework, as a process over real clients: what may be done and what not."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from tests.integrations.app import PATIENCE, ask, running

pytestmark = pytest.mark.process

EDIT = "/tasks/1?title=New"


@pytest.fixture(scope="module", params=["fastapi", "starlette", "flask", "django"])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    """Where an example serves."""
    with running(f"{request.param}_app.py") as port:
        yield port


@pytest.mark.parametrize(
    ("user", "method", "path", "status"),
    [
        ("ann", "GET", "/tasks/1", 200),
        ("vic", "GET", "/tasks/1", 200),
        ("ann", "PUT", EDIT, 200),
        ("vic", "PUT", EDIT, 403),  # a viewer
        (None, "GET", "/tasks/1", 401),
        ("nobody", "PUT", EDIT, 401),
        ("ann", "PUT", "/tasks/2?title=New", 404),  # what the resource's reader says
        (None, "PUT", "/tasks/2?title=New", 401),  # and strangers do not learn
        (None, "GET", "/health", 200),
    ],
)
def test_who_may_gets_200_and_who_may_not_gets_403(port, user, method, path, status):
    found, body, headers = ask(port, method, path, user)
    assert found == status, body
    assert headers.get("www-authenticate") == ("Bearer" if status == 401 else None)
    if status in (401, 403):
        assert "polic" not in body and "viewer" not in body  # nothing of why


@pytest.mark.parametrize("framework", ["starlette", "flask", "django"])
def test_a_route_that_was_forgotten_answers_403(framework):
    with running(f"{framework}_app.py") as port:
        assert ask(port, "GET", "/forgotten", "ann")[:2] == (403, "forbidden")
        assert ask(port, "GET", "/nowhere", "ann")[0] == 404


def test_the_grpc_server_answers_permission_denied():
    with running("grpc_server.py") as port, grpc.insecure_channel(f"127.0.0.1:{port}") as channel:

        def call(method: str, user: str | None, task: str = "1") -> str:
            ask = channel.unary_unary(
                f"/tasks.v1.TaskService/{method}",
                StringValue.SerializeToString,
                StringValue.FromString,
            )
            metadata = () if user is None else (("authorization", f"Bearer {user}"),)
            try:
                return ask(StringValue(value=task), metadata=metadata, timeout=PATIENCE).value
            except grpc.RpcError as error:
                return f"{error.code().name}: {error.details()}"

        assert call("GetTask", "ann") == call("EditTask", "ann") == "Write the examples"
        assert call("GetTask", "vic") == "Write the examples"
        assert call("EditTask", "vic") == "PERMISSION_DENIED: forbidden"
        assert call("GetTask", None) == "UNAUTHENTICATED: authentication required"
        assert call("EditTask", "ann", "2") == "UNAVAILABLE: authorization unavailable"  # KeyError
        assert call("GetTask", "ann", "") == "PERMISSION_DENIED: forbidden"
        assert call("Forgotten", "ann") == "PERMISSION_DENIED: forbidden"
        assert call("Ping", None) == "Write the examples"
        assert call("Nothing", "ann").startswith("UNIMPLEMENTED")
