"""Whatever is written, in whatever order and by whomever: what was compiled for the writes is what
compiling the stored documents gives, and every revision can be had back."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskman_authz.errors import CompileError, ConflictError, NotFoundError
from taskman_authz.policy import Role
from taskman_authz.store.postgres import (
    Attach,
    Create,
    Database,
    Delete,
    Detach,
    Edit,
    Put,
    StoredDocument,
    Update,
    Workshop,
)
from tests.policy.helpers import policy
from tests.store.postgres.conftest import NOTHING
from tests.store.postgres.states import content_hash, query

REFUSED = (CompileError, ConflictError, NotFoundError)
SCHEMA = "resources: {tasks: {actions: [edit], attributes: {owner: string, size: int}}}"

CONDITIONS = ["resource.owner == 'ann'", "resource.size > 2", "big", "subject.id == 'a' && big"]
OWNER = {"name": "owner", "roles": ["*"], "condition": "resource.owner == subject.id"}
NAMES = [
    {"variables": {"big": "resource.size > 10"}, "derived_roles": [OWNER]},
    {"constants": {"l": 5}, "variables": {"big": "resource.size > l"}, "derived_roles": [OWNER]},
    {"variables": {"big": "resource.size > 99"}},  # without the role that policies may have
]


def document(name: str, **fields: Any) -> StoredDocument:
    return StoredDocument.model_validate({"name": name, **fields})


# Ids of the platform's policies are no company's: of these two one would be refused.
def ids(company: str) -> st.SearchStrategy[str]:
    return st.sampled_from(["a", "b"] if company else ["x", "y"])


@st.composite
def policies(draw: st.DrawFn, company: str) -> dict[str, Any]:
    condition = draw(st.sampled_from([None, *CONDITIONS]))
    roles = draw(st.lists(st.sampled_from(["*", "dev", "ops", "owner"]), max_size=2))
    uses_names = "big" in (condition or "") or "owner" in roles
    return policy(
        draw(ids(company)),
        effect=draw(st.sampled_from(["allow", "deny"])),
        roles=roles,
        actions=["tasks:edit"],
        resources=draw(st.sampled_from([["tasks/*"], ["tasks/1", "tasks/2"]])),
        condition=condition,
        overridable=None if company else draw(st.sampled_from([None, True])),
        imports=["names.yaml"] if uses_names else None,
    )


def documents(company: str) -> st.SearchStrategy[StoredDocument]:
    if company:
        return st.sampled_from([["x"], ["y"], []]).map(lambda o: document("own.yaml", overrides=o))
    names = st.sampled_from(NAMES).map(lambda fields: document("names.yaml", **fields))
    return names | st.just(document("schema.yaml", text=SCHEMA))


def edits(company: str) -> st.SearchStrategy[Edit]:
    names = st.sampled_from(["dev", "ops"])
    roles = st.builds(lambda name, text: Role(name=name, description=text), names, st.text("ab"))
    items = policies(company) | policies(company) | roles | documents(company)
    others = st.one_of(
        *(st.builds(Create, items), st.builds(Update, items)),
        st.builds(Delete, st.just("policy"), ids(company)),
        st.builds(Delete, st.just("role"), names),
        st.builds(Delete, st.just("document"), st.just("own.yaml" if company else "schema.yaml")),
        st.builds(Attach, ids(company), names),
        st.builds(Detach, ids(company), names),
    )
    # Most of what is refused is refused because there is nothing yet to change.
    return st.integers(0, 3).flatmap(lambda n: others if n == 3 else st.builds(Put, items))


Write = tuple[str, list[Edit]]
writes: st.SearchStrategy[Write] = st.sampled_from(["", "acme", "globex"]).flatmap(
    lambda company: st.tuples(st.just(company), st.lists(edits(company), min_size=1, max_size=2))
)
FIRST: Write = (
    "",
    [
        *(Create(Role(name="dev")), Create(Role(name="ops"))),
        Create(document("names.yaml", **NAMES[0])),
        *(Create(policy(id, actions=["tasks:edit"], resources=["tasks/*"])) for id in "xy"),
    ],
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(writes, min_size=4, max_size=12), st.randoms(use_true_random=False))
def test_every_sequence_of_writes_gives_what_loading_from_scratch_does(
    dsn: str, owner_dsn: str, some: list[Write], chance
):
    asyncio.run(_write_all(dsn, owner_dsn, [FIRST, *some], chance))


async def _write_all(dsn: str, owner_dsn: str, some: list[Write], chance: Any) -> None:
    await query(owner_dsn, NOTHING)
    async with await Database.connect(dsn, size=2) as database:
        workshop = Workshop(database)
        hashes = [await content_hash(workshop)]
        for company, wanted in some:
            writer = workshop.writer("user:1", company)
            try:
                written = await writer.write(wanted)
            except REFUSED:
                assert await content_hash(workshop) == hashes[-1]
                continue
            if written.items:
                assert written.revision == len(hashes)
                hashes.append(written.content_hash)
            assert await content_hash(workshop) == written.content_hash == hashes[-1]
        for back in chance.sample(range(len(hashes)), min(3, len(hashes))):
            other = Workshop(database).writer("user:2")  # one that has compiled nothing yet
            assert (await other.rollback(back)).content_hash == hashes[back]
            assert await content_hash(workshop) == hashes[back]
