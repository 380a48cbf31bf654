"""Who asks for a revision is answered by that one or a later one, or not at all."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request

import pytest

from taskman_authz.client import AsyncClient, Client
from taskman_authz.errors import RequestError, UnavailableError
from taskman_authz.store.postgres import Detach
from tests.control_plane.asking import PATIENCE, until
from tests.policy.helpers import document, policy
from tests.sidecar.process import FAST, Sidecar

EDIT = policy("edit", roles=["dev"], actions=["tasks:edit"], resources=["tasks/*"])
SUBJECT = {"type": "user", "id": "1", "roles": ["dev"]}
QUESTION = (SUBJECT, "tasks:edit", "tasks/1")
# Nobody tells of changes, and nobody looks: but for who is asked for a revision.
SELDOM = ("--reload-interval", "3600")


@pytest.mark.parametrize("transport", ["grpcio", FAST])
async def test_what_was_written_is_read_by_who_asks_for_it(platform, start, transport):
    sidecar = start(*SELDOM, "--transport", transport)
    async with AsyncClient(sidecar.address, timeout=PATIENCE, remember=60) as client:
        assert not await client.check(*QUESTION)
        written = await platform.create(EDIT)
        assert not await client.check(*QUESTION)  # of what is remembered, or of the last revision
        assert await client.check(*QUESTION, min_revision=written.revision)
        gone = await platform.write([Detach("edit", "dev")])
        assert not any(await client.batch_check([QUESTION] * 2, min_revision=gone.revision))
        assert not await client.check(*QUESTION, min_revision=written.revision)
        with pytest.raises(UnavailableError, match="not in force here yet"):
            await client.check(*QUESTION, min_revision=gone.revision + 1, timeout=1)


async def test_over_http_too(platform, start):
    sidecar = start(*SELDOM, "--http-listen", "127.0.0.1:0")
    subject = {"type": "user", "id": "1", "properties": {"roles": ["dev"]}}
    resource = {"type": "tasks", "id": "1"}
    body = {"subject": subject, "action": {"name": "tasks:edit"}, "resource": resource}
    url = f"http://{sidecar.http[0]}/access/v1/evaluation"

    def asked(least: str) -> object:
        headers = {"Content-Type": "application/json", "Min-Revision": least}
        request = urllib.request.Request(url, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return json.load(response)["decision"]
        except urllib.error.HTTPError as error:
            return error.code

    written = await platform.create(EDIT)
    assert await asyncio.to_thread(asked, str(written.revision + 1)) == 503
    await until(lambda: asked(str(written.revision)) is True)
    for nonsense in ("-1", "x", "1" * 19, "\u00b2"):
        assert await asyncio.to_thread(asked, nonsense) == 400


@pytest.mark.parametrize("transport", ["grpcio", FAST])
def test_policies_without_numbers_are_not_compared_with_one(tmp_path, transport):
    (tmp_path / "p.yaml").write_text(document(EDIT))
    sidecar = Sidecar(tmp_path, "--transport", transport)
    try:
        with Client(sidecar.address, timeout=PATIENCE) as client:
            assert client.check(*QUESTION)
            with pytest.raises(UnavailableError, match="failed_precondition: min-revision: "):
                client.check(*QUESTION, min_revision=1)
    finally:
        sidecar.kill()


async def test_what_is_no_revision_is_refused_before_anything_is_sent():
    async with AsyncClient("127.0.0.1:1") as client:
        for nonsense in (-1, "1", True, 2**63):
            with pytest.raises(RequestError, match="min_revision: expected the number"):
                await client.check(*QUESTION, min_revision=nonsense)
