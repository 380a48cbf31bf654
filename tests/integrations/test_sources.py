"""A source of attributes answers for what it owns, in the order of the question."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import grpc
import pytest
import pytest_asyncio

from taskman_authz import RequestError
from taskman_authz.integrations.sources import MOST, AttributeSource
from taskman_authz.v1 import attributes_pb2 as pb
from taskman_authz.v1 import attributes_pb2_grpc as rpc

pytestmark = pytest.mark.asyncio
OWNED = {"acme": {"7": {"owner": "ann", "locked": False, "due": None}}, "other": {}}


async def tasks(company_id: str, ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    assert len(set(ids)) == len(ids)  # nobody is asked twice for one
    return {id: OWNED[company_id][id] for id in ids if id in OWNED[company_id]}


@pytest_asyncio.fixture
async def ask() -> AsyncIterator[Any]:
    server = grpc.aio.server()
    rpc.add_AttributeServiceServicer_to_server(AttributeSource({"tasks": tasks}), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield rpc.AttributeServiceStub(channel).GetAttributes
    await server.stop(None)


def question(company_id: str, *entities: tuple[str, str, list[str]]) -> pb.GetAttributesRequest:
    asked = pb.GetAttributesRequest(company_id=company_id)
    for type, id, names in entities:
        asked.entities.add(kind=pb.EntityRequest.KIND_RESOURCE, type=type, id=id, names=names)
    return asked


async def test_it_tells_what_is_asked_for_and_nothing_else(ask: Any):
    answer = await ask(
        question(
            "acme", ("tasks", "8", ["*"]), ("tasks", "7", ["owner", "due"]), ("tasks", "7", ["*"]),
            ("users", "1", ["*"]),
        )
    )  # fmt: skip
    told = [dict(each.properties) if each.HasField("properties") else None
            for each in answer.entities]  # fmt: skip
    assert told == [None, {"owner": "ann"}, {"owner": "ann", "locked": False}, None]


async def test_what_is_another_companys_is_not_there(ask: Any):
    [told] = (await ask(question("other", ("tasks", "7", ["*"])))).entities
    assert not told.HasField("properties")


async def test_a_question_has_a_limit():
    asked = question("acme", *[("tasks", str(number), ["*"]) for number in range(MOST + 1)])
    with pytest.raises(RequestError, match="at most"):
        await AttributeSource({"tasks": tasks}).GetAttributes(asked, None)
