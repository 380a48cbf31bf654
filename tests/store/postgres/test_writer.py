"""What is written is what compiles, with its revision and its events, or nothing at all."""

from __future__ import annotations

import asyncio

import pytest

from taskman_authz import PDP, make_request
from taskman_authz.errors import (
    ArgumentError,
    CompileError,
    ConflictError,
    NotFoundError,
    RequestError,
)
from taskman_authz.policy import Role
from taskman_authz.store.postgres import (
    Create,
    Database,
    Delete,
    Filter,
    PolicyWriter,
    PostgresStore,
    Put,
    StoredDocument,
    StoredPolicy,
    Update,
    Workshop,
)
from taskman_authz.store.postgres.writer import LOCK
from tests.policy.helpers import policy
from tests.store.postgres.states import (
    DEV,
    POLICY,
    backend_that_waits,
    counts,
    from_scratch,
    held,
    query,
)

SCHEMA = """\
resources:
  tasks:
    actions: [edit]
    attributes: {owner: string}
"""


async def test_what_is_written_decides(platform: PolicyWriter, workshop: Workshop):
    written = await platform.write([Create(DEV), Create(POLICY)])
    snapshot, policies = await from_scratch(workshop.database)
    assert written.revision == snapshot.number == 1
    assert written.content_hash == policies.revision
    ann = {"type": "user", "id": "ann", "roles": ["dev"]}
    assert PDP(policies).check(ann, "tasks:edit", "tasks/1")
    assert not PDP(policies).check("user:ben", "tasks:edit", "tasks/1")


async def test_everything_that_a_policy_says_comes_back(platform: PolicyWriter):
    condition = (
        "// a comment\nresource.owner == subject.id &&\n\n  resource.note != '\\x7f\u2028😀'"
    )
    given = StoredPolicy(
        **policy(
            "p/1\\%",
            effect="deny",
            name="A name",
            description='what: "it" is\n# for\x85',
            roles=["dev", "*"],
            actions=["tasks:*", "a:b"],
            resources=["tasks/*"],
            condition=condition,
            overridable=True,
            lint_ignore=["redundant"],
        )
    )
    await platform.write([Create(DEV), Create(given)])
    entry = await platform.get("policy", "p/1\\%")
    assert entry.item == given.model_copy(update={"roles": ["*", "dev"]})
    assert entry.company == "" and entry.created_at == entry.updated_at


async def test_issues_are_all_told_and_nothing_is_written(platform: PolicyWriter, owner_dsn: str):
    edits = [
        Create(policy("a", condition="subject.id +")),
        Create(policy("b", actions=["edit"])),
        Create(policy("c", roles=["nobody"])),
    ]
    with pytest.raises(CompileError) as caught:
        await platform.write(edits[:2])
    assert [(each.place.source, each.code) for each in caught.value.issues] == [
        ("every-company/policy:a", "syntax_error"),
        ("every-company/policy:b", "bad_pattern"),
    ]
    issues = await platform.validate(edits[2:])
    assert [(each.place.source, each.code) for each in issues] == [
        ("every-company/policy:c", "unknown_role")
    ]
    assert set((await counts(owner_dsn)).values()) == {0}


async def test_condition_of_nothing_but_space_is_no_absent_one(platform: PolicyWriter):
    with pytest.raises(CompileError, match="every-company/policy:a"):
        await platform.create(policy("a", condition="  "))


@pytest.mark.parametrize("wrong", [{"effect": "perhaps"}, {"actions": "tasks:*"}, {"idea": 1}])
async def test_item_that_is_none_is_told_in_words_of_documents(platform: PolicyWriter, wrong):
    with pytest.raises(CompileError, match="policy a:1:1: error: "):
        await platform.create(policy("a", **wrong))


async def test_text_that_the_database_cannot_hold_is_refused(platform: PolicyWriter):
    with pytest.raises(CompileError, match=r"U\+0000"):
        await platform.create(policy("a", description="a\0b"))
    await platform.create(policy("a", condition="resource.x != '\\\\x00 \\u0000'"))


async def test_update_replaces_and_delete_removes(platform: PolicyWriter, workshop: Workshop):
    empty = (await from_scratch(workshop.database))[1].revision
    first = await platform.create(policy("a", condition="resource.x == 1"))
    entry = await platform.get("policy", "a")
    await platform.update(policy("a", effect="deny"))
    changed = await platform.get("policy", "a")
    assert changed.uuid == entry.uuid and changed.updated_at > entry.updated_at
    assert changed.item.effect == "deny" and not changed.item.condition
    last = await platform.delete("policy", "a")
    assert (first.revision, last.revision, last.content_hash) == (1, 3, empty)
    with pytest.raises(NotFoundError, match="there is no policy `a`"):
        await platform.get("policy", "a")


async def test_what_is_there_is_not_created_and_what_is_not_is_not_changed(platform: PolicyWriter):
    await platform.create(policy("a"))
    with pytest.raises(ConflictError, match="there is the policy `a` already"):
        await platform.create(policy("a"))
    for change in (platform.update(policy("b")), platform.delete("policy", "b")):
        with pytest.raises(NotFoundError):
            await change


async def test_what_stays_as_it_is_makes_no_revision(platform: PolicyWriter, owner_dsn: str):
    await platform.write([Create(DEV), Create(POLICY)])
    before = await counts(owner_dsn)
    written = await platform.write([Put({**POLICY, "roles": ["dev", "dev"]}), Put(DEV)])
    assert (written.revision, written.items) == (1, ())
    assert await counts(owner_dsn) == before


async def test_policy_is_attached_to_a_role_and_detached(platform: PolicyWriter, owner_dsn: str):
    await platform.write([Create(DEV), Create(Role(name="ops")), Create(POLICY)])
    await platform.attach("edits", "ops")
    assert (await platform.get("policy", "edits")).item.roles == ["dev", "ops"]
    assert (await counts(owner_dsn))["role_policies"] == 2
    await platform.detach("edits", "dev")
    assert (await platform.get("policy", "edits")).item.roles == ["ops"]
    with pytest.raises(NotFoundError, match="not attached to the role `dev`"):
        await platform.detach("edits", "dev")
    with pytest.raises(CompileError, match="unknown role `oops`"):
        await platform.attach("edits", "oops")
    await platform.attach("edits", "*")
    assert (await platform.get("policy", "edits")).item.roles == ["*", "ops"]


async def test_role_that_policies_are_attached_to_stays(platform: PolicyWriter):
    await platform.write([Create(DEV), Create(POLICY)])
    with pytest.raises(CompileError, match="unknown role `dev`"):
        await platform.delete("role", "dev")
    await platform.write([Delete("role", "dev"), Delete("policy", "edits")])


async def test_policies_go_over_to_the_nearest_role_of_their_name(
    platform: PolicyWriter, acme: PolicyWriter, workshop: Workshop, owner_dsn: str
):
    attached_to = "SELECT r.company_id FROM role_policies a JOIN roles r ON r.id = a.role_id"
    await platform.create(DEV)
    await acme.create(POLICY)
    assert [row[0] for row in await query(owner_dsn, attached_to)] == [None]
    await acme.create(DEV)
    assert [row[0] for row in await query(owner_dsn, attached_to)] == ["acme"]
    await platform.delete("role", "dev")
    await platform.create(DEV)
    await acme.delete("role", "dev")
    assert [row[0] for row in await query(owner_dsn, attached_to)] == [None]
    await from_scratch(workshop.database)


async def test_names_of_documents_are_used_by_policies_that_import_them(
    platform: PolicyWriter, acme: PolicyWriter, workshop: Workshop
):
    owner = {"name": "owner", "roles": ["dev"], "condition": "resource.owner == subject.id"}
    document = StoredDocument.model_validate(
        {
            "name": "common.yaml",
            "constants": {"closed": ["done", 1.5, None, {"0o7": True}]},
            "variables": {"is_open": "!(resource.status in closed)"},
            "derived_roles": [owner],
        }
    )
    await platform.write([Create(DEV), Create(document)])
    mine = policy("a", roles=["owner"], condition="is_open", imports=["common.yaml"])
    await acme.create(mine)
    assert (await platform.get("document", "common.yaml")).item == document
    _, policies = await from_scratch(workshop.database)
    assert "subject.id" in policies.rules[0].text and "status" in policies.rules[0].text
    with pytest.raises(CompileError, match="unknown_import"):
        await acme.create({**mine, "id": "b", "imports": ["other.yaml"]})
    with pytest.raises(CompileError):
        await platform.delete("document", "common.yaml")
    before = policies.revision
    variables = {"is_open": "resource.status == 'open'"}
    await platform.update(document.model_copy(update={"variables": variables, "constants": {}}))
    assert (await from_scratch(workshop.database))[1].revision != before


async def test_company_overrides_what_may_be(platform: PolicyWriter, acme: PolicyWriter, workshop):
    await platform.create(policy("no", effect="deny", overridable=True))
    await platform.create(policy("yes"))
    await acme.create(StoredDocument(name="overrides.yaml", overrides=["no"]))
    pdp = PDP((await from_scratch(workshop.database))[1])
    assert pdp.check("user:1", "a:b", "c/1", company_id="acme")
    assert not pdp.check("user:1", "a:b", "c/1", company_id="globex")
    with pytest.raises(CompileError):
        await platform.delete("policy", "no")


async def test_policies_are_checked_against_the_schema_that_is_stored(
    platform: PolicyWriter, acme: PolicyWriter, workshop: Workshop
):
    await platform.create(StoredDocument(name="schema.yaml", text=SCHEMA))
    typed = policy("a", actions=["tasks:edit"], resources=["tasks/*"])
    await acme.create({**typed, "condition": "resource.owner == subject.id"})
    for id in ("b", "c"):  # the second time the compiled set is there already
        with pytest.raises(CompileError, match="did you mean `owner`") as caught:
            await acme.create({**typed, "id": id, "condition": "resource.ownr == subject.id"})
        assert [each.place.source for each in caught.value.issues] == [f"company:acme/policy:{id}"]
    with pytest.raises(CompileError, match="schema.yaml:1:1"):
        await platform.update(StoredDocument(name="schema.yaml", text="resorces: {}"))
    await from_scratch(workshop.database)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "names.yaml", "constants": {"n": 2**70}},
        {"name": "names.yaml", "constants": {"n": [float("inf")]}},
        {"name": "names.yaml", "text": "resources: {}"},
        {"name": "schema.yaml", "text": "resources: {}", "constants": {"n": 1}},
    ],
)
async def test_document_that_would_say_something_else_is_refused(platform: PolicyWriter, wrong):
    with pytest.raises(CompileError, match="bad_value"):
        await platform.create(StoredDocument.model_validate(wrong))


@pytest.mark.parametrize("id", ["schema.yaml", "../schema.yaml", "..", "a_test.yaml", "on", "1"])
async def test_no_id_makes_a_policy_something_else(platform: PolicyWriter, workshop: Workshop, id):
    await platform.create(policy(id, effect="deny"))
    _, policies = await from_scratch(workshop.database)
    assert [row.id for row in policies.rules] == [id]


async def test_one_of_two_writers_who_saw_the_same_is_told(workshop: Workshop):
    one, other = workshop.writer("user:1"), workshop.writer("user:2")
    await one.create(policy("a"))
    done = await asyncio.gather(
        one.update(policy("a", effect="deny"), expected_revision=1),
        other.update(policy("a", actions=["x:y"]), expected_revision=1),
        return_exceptions=True,
    )
    lost = [each for each in done if isinstance(each, ConflictError)]
    assert len(lost) == 1 and lost[0].revision == 2
    won = one if isinstance(done[1], ConflictError) else other
    assert [each.actor for each in await one.history(size=1)] == [won.actor]


async def test_revisions_have_no_gaps_whoever_writes(workshop: Workshop):
    async def write(number: int) -> None:
        company = ("", "acme", "globex")[number % 3]
        await workshop.writer(f"user:{number}", company).create(policy(f"p{number}"))

    await asyncio.gather(*map(write, range(12)))
    found = await workshop.writer("user:root").history()
    assert [each.number for each in found] == list(range(12, 0, -1))
    snapshot, policies = await from_scratch(workshop.database)
    assert (snapshot.number, len(policies)) == (12, 12)


async def test_writers_who_wait_leave_connections_to_readers(dsn: str, owner_dsn: str):
    async with (
        await Database.connect(dsn, size=2) as database,
        held(owner_dsn, f"SELECT pg_advisory_xact_lock({LOCK})") as holder,
    ):
        workshop = Workshop(database)
        writers = [workshop.writer(f"user:{number}") for number in range(8)]
        writing = [
            asyncio.create_task(writer.create(policy(f"p{number}")))
            for number, writer in enumerate(writers)
        ]
        await backend_that_waits(owner_dsn)
        assert (await writers[0].page("policy")).entries == ()
        await holder.execute("ROLLBACK")
        written = await asyncio.gather(*writing)
    assert sorted(each.revision for each in written) == list(range(1, 9))


async def test_another_process_finds_what_was_written_meanwhile(workshop: Workshop):
    one, other = workshop.writer("user:1"), Workshop(workshop.database).writer("user:2")
    for number in range(4):
        writer = (one, other)[number % 2]
        assert (await writer.create(policy(f"p{number}"))).revision == number + 1
    assert await PostgresStore(workshop.database).fingerprint() == "4"
    await from_scratch(workshop.database)


async def test_dry_run_tells_what_flips_and_writes_nothing(platform: PolicyWriter, owner_dsn: str):
    await platform.create(policy("a", condition="resource.x == 1"))
    before = await counts(owner_dsn)
    asked = [make_request("user:1", "a:b", {"type": "c", "id": "1", "x": x}) for x in (1, 2)]
    flips = await platform.dry_run([Update(policy("a", condition="resource.x == 2"))], asked)
    assert [(flip.request, flip.before.allowed, flip.after.allowed) for flip in flips] == [
        (asked[0], True, False),
        (asked[1], False, True),
    ]
    assert flips[0].before.revision != flips[0].after.revision
    assert await counts(owner_dsn) == before


async def test_pages_are_all_of_it_in_order_whatever_their_size(platform: PolicyWriter, acme):
    names = [f"p{number:02}" for number in range(7)]
    await platform.write([Create(policy(name)) for name in names[::2]])
    await acme.write([Create(policy(name)) for name in names[1::2]])
    for writer in (platform, acme):
        for size in (1, 2, 7, 100):
            found, after = [], ""
            while True:
                page = await writer.page("policy", after=after, size=size)
                found += [entry.item.id for entry in page.entries]
                after = page.next
                if not after:
                    break
            assert found == names
    with pytest.raises(ArgumentError, match="after: expected the `next` of a page"):
        await acme.page("policy", after="x")


async def test_pages_are_of_what_is_asked_for(platform: PolicyWriter, acme: PolicyWriter):
    await platform.write([Create(DEV), Create(POLICY), Create(policy("all"))])
    await acme.create(policy("mine", effect="deny", actions=["tasks:view"]))

    async def found(**wanted) -> list[str]:
        page = await acme.page("policy", Filter(**wanted))
        return [entry.item.id for entry in page.entries]

    assert await found() == ["all", "edits", "mine"]
    assert await found(company="") == ["all", "edits"]
    assert await found(company="acme") == ["mine"]
    assert await found(effect="deny") == ["mine"]
    assert await found(role="dev") == ["edits"]
    assert await found(role="*") == ["all", "mine"]
    assert await found(action="tasks:") == ["edits", "mine"]
    assert await found(text="i", action="edit") == ["edits"]
    assert [entry.item for entry in (await acme.page("role")).entries] == [DEV]


async def test_history_tells_who_changed_what(platform: PolicyWriter, workshop: Workshop):
    await platform.write([Create(DEV), Create(POLICY)], note="the first ones")
    await workshop.writer("user:2").delete("policy", "edits")
    newest, first = await platform.history()
    assert (newest.actor, first.actor, first.note) == ("user:2", "user:root", "the first ones")
    assert [(verb, key.name) for verb, key in first.items] == [
        ("created", "dev"),
        ("created", "edits"),
    ]
    assert [(verb, str(key)) for verb, key in newest.items] == [("deleted", "policy `edits`")]
    assert [each.number for each in await platform.history(before=2)] == [1]


async def test_rollback_to_what_never_was_is_refused(platform: PolicyWriter):
    for number in (1, -1, True):
        with pytest.raises(NotFoundError, match="there is no revision"):
            await platform.rollback(number)


async def test_company_tries_requests_of_its_own_only(acme: PolicyWriter):
    with pytest.raises(RequestError, match="company_id"):
        await acme.dry_run([], [make_request("user:1", "a:b", "c/1", company_id="globex")])
