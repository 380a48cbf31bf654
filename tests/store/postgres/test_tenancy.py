"""A company neither reads nor writes what is another's: through the API, and in SQL as its role."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from taskman_authz.errors import (
    ArgumentError,
    CompileError,
    ConflictError,
    NotFoundError,
    StoreError,
)
from taskman_authz.policy import Role
from taskman_authz.store.postgres import Create, Delete, PolicyWriter, StoredDocument, Workshop
from tests.policy.helpers import policy
from tests.store.postgres.states import DEV, POLICY, content_hash, query

TABLES = ["policies", "roles", "role_policies", "documents", "changes", "revisions"]


@pytest.fixture
async def three(platform: PolicyWriter, acme: PolicyWriter, globex: PolicyWriter) -> None:
    """Something of every company, of acme and of globex."""
    common = StoredDocument(name="common.yaml", variables={"yes": "resource.x"})
    await platform.write([Create(DEV), Create(policy("global", roles=["dev"])), Create(common)])
    for writer in (acme, globex):
        own = StoredDocument(name="own.yaml", constants={"one": 1})
        await writer.write([Create(Role(name="ops")), Create(policy("own", roles=["ops"]))])
        await writer.create(own)


@pytest.fixture
async def as_acme(three: None, dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that works for acme, as the writers' transactions do."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("SET ROLE authz_service")
    await connection.execute("SELECT set_config('app.company_id', 'acme', false)")
    yield connection
    await connection.close()


# -- in SQL ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
async def test_rows_of_others_are_not_there(as_acme: asyncpg.Connection, table: str):
    seen = {row["company_id"] for row in await as_acme.fetch(f"SELECT company_id FROM {table}")}
    assert seen == {None, "acme"}


@pytest.mark.parametrize("table", ["policies", "roles", "documents"])
@pytest.mark.parametrize("company", ["company_id IS NULL", "company_id = 'globex'"])
async def test_rows_of_others_do_not_change(as_acme, owner_dsn: str, table: str, company: str):
    look = f"SELECT * FROM {table} WHERE {company}"
    before = await query(owner_dsn, look)
    assert before
    for change in (
        f"UPDATE {table} SET company_id = 'acme' WHERE {company}",
        f"UPDATE {table} SET name = 'x' WHERE {company}",
        f"DELETE FROM {table} WHERE {company}",
    ):
        assert (await as_acme.execute(change)).endswith(" 0")
    assert await query(owner_dsn, look) == before


@pytest.mark.parametrize("company", ["NULL", "'globex'"])
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO roles (id, name, company_id) VALUES (gen_random_uuid(), 'x', {})",
        (
            "INSERT INTO documents (id, name, content, company_id)"
            " VALUES (gen_random_uuid(), 'x', '{{}}', {})"
        ),
        (
            "INSERT INTO policies (id, slug, effect, actions, resources, company_id)"
            " VALUES (gen_random_uuid(), 'x', 'allow', '{{*}}', '{{*}}', {})"
        ),
        "UPDATE policies SET company_id = {} WHERE company_id = 'acme'",
        "INSERT INTO revisions (number, content_hash, actor, company_id) VALUES (99, '', '', {})",
        (
            "INSERT INTO changes (revision, position, kind, name, company_id)"
            " VALUES (1, 9, 'role', 'x', {})"
        ),
        (
            "INSERT INTO outbox (id, exchange, routing_key, body, company_id)"
            " VALUES (gen_random_uuid(), 'e', 'k', '', {})"
        ),
    ],
)
async def test_rows_for_others_are_not_written(as_acme, company: str, statement: str):
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await as_acme.execute(statement.format(company))


async def test_policy_is_not_attached_to_a_role_that_is_not_seen(as_acme, owner_dsn: str):
    (mine,) = await as_acme.fetch("SELECT id FROM policies WHERE company_id = 'acme'")
    (theirs,) = await query(owner_dsn, "SELECT id FROM policies WHERE company_id = 'globex'")
    roles = await query(owner_dsn, "SELECT id, company_id FROM roles")
    their_role = next(row["id"] for row in roles if row["company_id"] == "globex")
    global_role = next(row["id"] for row in roles if row["company_id"] is None)
    attach = "INSERT INTO role_policies (role_id, policy_id, company_id) VALUES ($1, $2, 'acme')"
    for role, attached in ((their_role, mine["id"]), (global_role, theirs["id"])):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await as_acme.execute(attach, role, attached)
    await as_acme.execute(attach, global_role, mine["id"])


async def test_history_is_not_rewritten(as_acme: asyncpg.Connection):
    for statement in ("UPDATE revisions SET actor = 'x'", "DELETE FROM changes"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await as_acme.execute(statement)


async def test_outbox_is_not_read_by_a_company(as_acme: asyncpg.Connection):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_acme.fetch("SELECT * FROM outbox")


@pytest.mark.parametrize("company", ["", None])
async def test_without_a_company_there_is_only_what_is_of_every_one(three, dsn: str, company):
    connection = await asyncpg.connect(dsn)
    await connection.execute("SET ROLE authz_service")
    if company is not None:
        await connection.execute("SELECT set_config('app.company_id', $1, false)", company)
    rows = await connection.fetch("SELECT company_id FROM policies")
    assert [row["company_id"] for row in rows] == [None]
    assert await connection.execute("DELETE FROM policies") == "DELETE 0"
    await connection.close()


async def test_user_who_has_taken_no_role_sees_nothing(three: None, dsn: str):
    connection = await asyncpg.connect(dsn)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.fetch("SELECT * FROM policies")
    await connection.close()


async def test_owner_is_no_exception(three: None, owner_dsn: str):
    rows = await query(
        owner_dsn,
        "SELECT relname FROM pg_class WHERE relname = ANY($1) AND NOT relforcerowsecurity",
        [*TABLES, "outbox"],
    )
    assert rows == []


# -- through the API ------------------------------------------------------------------------------


async def test_company_lists_its_own_and_what_is_of_every_one(three, acme: PolicyWriter):
    for kind, names in (
        ("policy", [("", "global"), ("acme", "own")]),
        ("role", [("", "dev"), ("acme", "ops")]),
        ("document", [("", "common.yaml"), ("acme", "own.yaml")]),
    ):
        page = await acme.page(kind)
        found = [(e.company, getattr(e.item, "id", None) or e.item.name) for e in page.entries]
        assert found == names
    with pytest.raises(NotFoundError):
        await acme.get("policy", "own", "globex")
    assert (await acme.get("policy", "global", "")).item.roles == ["dev"]


async def test_company_changes_neither_global_items_nor_those_of_others(three, acme: PolicyWriter):
    with pytest.raises(NotFoundError, match="no policy `global` of company `acme`"):
        await acme.update(policy("global", effect="deny"))
    with pytest.raises(NotFoundError):
        await acme.delete("role", "dev")
    for company in ("globex", ""):
        with pytest.raises(ArgumentError, match="company: expected the writer's own company"):
            await acme.write([Delete("policy", "own", company)])


async def test_company_writes_as_the_role_that_has_its_rows_only(acme, platform, owner_dsn: str):
    await query(
        owner_dsn,
        "CREATE FUNCTION only_service() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " ASSERT current_user = 'authz_service' AND current_company() = 'acme', 'who writes?';"
        " RETURN new; END $$",
    )
    tables = ["policies", "roles", "role_policies", "documents", "revisions", "changes", "outbox"]
    try:
        for table in tables:
            await query(
                owner_dsn,
                f"CREATE TRIGGER only_service BEFORE INSERT OR UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION only_service()",
            )
        own = StoredDocument(name="own.yaml", constants={"one": 1})
        await acme.write([Create(DEV), Create(POLICY), Create(own)])
        with pytest.raises(StoreError, match="who writes"):
            await platform.create(policy("a"))
    finally:
        await query(owner_dsn, "DROP FUNCTION only_service CASCADE")


async def test_company_reads_its_own_history(three, acme: PolicyWriter, globex: PolicyWriter):
    await globex.update(policy("own", effect="deny"))
    found = await acme.history()
    assert {each.company for each in found} == {"", "acme"}
    assert {key.company for each in found for _, key in each.items} == {"", "acme"}


async def test_what_others_write_is_no_conflict(three, platform, acme, globex):
    seen = (await acme.head()).number
    await globex.update(policy("own", effect="deny"))
    await acme.update(policy("own", effect="deny"), expected_revision=seen)
    with pytest.raises(ConflictError):
        await acme.update(policy("own"), expected_revision=seen)
    seen = (await acme.head()).number
    await platform.update(policy("global", effect="deny"))
    with pytest.raises(ConflictError):
        await acme.update(policy("own"), expected_revision=seen)


async def test_issues_tell_nothing_of_others(three, acme: PolicyWriter, globex: PolicyWriter):
    await globex.write([Create(Role(name="spies")), Create(policy("secret", roles=["spies"]))])
    with pytest.raises(CompileError) as caught:
        await acme.create(policy("a", roles=["spies"]))
    assert "globex" not in str(caught.value) and "secret" not in str(caught.value)
    await acme.create(policy("secret"))  # an id is a company's own


async def test_company_uses_the_names_of_its_own_documents(three, acme, globex, workshop: Workshop):
    mine = policy(
        "names", condition="resource.n == one && yes", imports=["own.yaml", "common.yaml"]
    )
    await acme.create(mine)
    await globex.delete("document", "own.yaml")
    with pytest.raises(CompileError, match="unknown_import"):
        await globex.create(mine)
    await content_hash(workshop)


async def test_names_of_a_company_cannot_become_those_of_another(acme, workshop: Workshop):
    sly = "resource.x == 1\n---\ncompany: globex\npolicies: []"
    with pytest.raises(CompileError):
        await acme.create(StoredDocument(name="a", variables={"x": sly}))
    await acme.create(policy("a", description=sly))
    with pytest.raises(ArgumentError, match="the schema is of every company"):
        await acme.create(StoredDocument(name="schema.yaml", text="{}"))


async def test_rollback_of_a_company_leaves_what_is_others(three, acme, globex, platform):
    back = (await acme.head()).number
    await acme.delete("policy", "own")
    await globex.update(policy("own", effect="deny"))
    await platform.update({**POLICY, "id": "global", "effect": "deny"})
    written = await acme.rollback(back)
    assert [(verb, str(key)) for verb, key in written.items] == [
        ("created", "policy `own` of company `acme`")
    ]
    assert (await acme.get("policy", "own")).item.roles == ["ops"]
    assert (await globex.get("policy", "own")).item.effect == "deny"
    assert (await platform.get("policy", "global")).item.effect == "deny"


async def test_company_adopts_nothing(acme: PolicyWriter):
    with pytest.raises(ArgumentError, match="expected the platform's writer"):
        await acme.adopt()


@pytest.mark.parametrize("company", ["a b", "a\0", "x" * 256, 7, None])
async def test_what_is_no_company_has_no_writer(workshop: Workshop, company):
    with pytest.raises(ArgumentError, match="company: expected"):
        workshop.writer("user:1", company)
