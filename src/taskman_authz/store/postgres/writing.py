"""Changes → rows.

Laws: what is here runs in a transaction that somebody else began, as the role of the writer, and
leaves nothing behind where it fails. Rows are as the changes say, and the history holds both sides
of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..._fast.rows import ANYONE
from ...policy.document import Role
from .database import Head
from .edits import Change
from .items import Key, State, Stored, StoredDocument, StoredPolicy

if TYPE_CHECKING:
    from .connecting import Connection

POLICY = (
    *("slug", "name", "description", "effect", "actions", "resources", "condition"),
    *("overridable", "imports", "lint_ignore", "company_id"),
)
ROLE = ("name", "description", "lint_ignore", "company_id")
DOCUMENT = ("name", "content", "company_id")
ROWS = 1_000  # of one statement: none waits for long


async def write_rows(connection: Connection, changes: Sequence[Change], state: State) -> None:
    """Make the rows of policies, roles and documents those of `state`, which the changes led to."""
    roles, documents, policies = (
        [each for each in changes if each.key.kind == kind]
        for kind in ("role", "document", "policy")
    )
    touched = _attached_to(roles, state) | {each.key for each in policies if each.after}
    await _write(connection, "roles", ROLE, roles)
    await _write(connection, "documents", DOCUMENT, documents)
    await _write(connection, "policies", POLICY, policies)
    await _delete(connection, "policies", policies)
    await connection.execute(
        "DELETE FROM role_policies WHERE policy_id = ANY($1::uuid[])",
        [state[key].uuid for key in touched],
    )
    await _delete(connection, "roles", roles)
    await _attach(connection, sorted(touched), state)
    await _delete(connection, "documents", documents)


def _attached_to(roles: Sequence[Change], state: State) -> set[Key]:
    """The policies that name a role which comes or goes: their attachments are made anew."""
    moved = {(key.company, key.name) for key, was, now in roles if was is None or now is None}
    if not moved:
        return set()
    return {
        key
        for key, stored in state.items()
        if isinstance(stored.item, StoredPolicy)
        and any((where, role) in moved for role in stored.item.roles for where in {"", key.company})
    }


async def write_history(
    connection: Connection, head: Head, changes: Sequence[Change], author: tuple[str, str, str]
) -> None:
    """Make the revision `head`; `author` is the writer's company, the actor, and a note."""
    company, actor, note = author
    await connection.execute(
        "INSERT INTO revisions (number, content_hash, company_id, actor, note)"
        " VALUES ($1, $2, $3, $4, $5)",
        *(head.number, head.content_hash, company or None, actor, note),
    )
    await _many(
        connection,
        "INSERT INTO changes (revision, position, kind, company_id, name, before, after)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            (head.number, place, key.kind, key.company or None, key.name, _image(was), _image(now))
            for place, (key, was, now) in enumerate(changes)
        ],
    )


def _image(stored: Stored | None) -> str | None:
    return None if stored is None else stored.image()


async def _write(
    connection: Connection,
    table: str,
    columns: tuple[str, ...],
    changes: Sequence[Change],
) -> None:
    """Insert what is new and update what is another."""
    names = ", ".join(columns)
    places = ", ".join(f"${number}" for number in range(2, len(columns) + 2))
    rows = [
        (before is None, (after.uuid, *_values(key, after)))
        for key, before, after in changes
        if after is not None
    ]
    await _many(
        connection,
        f"INSERT INTO {table} (id, {names}) VALUES ($1, {places})",
        [row for is_new, row in rows if is_new],
    )
    await _many(
        connection,
        f"UPDATE {table} SET ({names}, updated_at) = ({places}, now()) WHERE id = $1",
        [row for is_new, row in rows if not is_new],
    )


def _values(key: Key, stored: Stored) -> tuple[object, ...]:
    """The columns of an item's row; which roles a policy is attached to is `_attach`'s."""
    item, company = stored.item, key.company or None
    if isinstance(item, StoredPolicy):
        said = (item.id, item.name, item.description, item.effect, item.actions, item.resources)
        about = (item.overridable, item.imports, item.lint_ignore, company)
        return (*said, item.condition or None, *about)
    if isinstance(item, Role):
        return (item.name, item.description, item.lint_ignore, company)
    return (item.name, _content(item), company)


def _content(document: StoredDocument) -> str:
    return document.model_dump_json(exclude={"name"}, exclude_defaults=True)


async def _attach(connection: Connection, keys: Sequence[Key], state: State) -> None:
    """Attach policies to their roles: the company's own of a name, or else that of every company.
    Of those that are no rows `derived_roles` keeps the names."""
    attached, others = [], []
    for key in keys:
        uuid, item = state[key]
        assert isinstance(item, StoredPolicy)
        derived = []
        for role in item.roles:
            found = state.get(Key("role", key.company, role)) or state.get(Key("role", "", role))
            if found is not None:
                attached.append((found.uuid, uuid, key.company or None))
            elif role != ANYONE:
                derived.append(role)
        others.append((uuid, ANYONE in item.roles, derived))
    await _many(
        connection,
        "INSERT INTO role_policies (role_id, policy_id, company_id) VALUES ($1, $2, $3)",
        attached,
    )
    await _many(
        connection,
        "UPDATE policies SET everyone = $2, derived_roles = $3 WHERE id = $1"
        " AND (everyone, derived_roles) IS DISTINCT FROM ($2, $3)",
        others,
    )


async def _many(connection: Connection, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    for start in range(0, len(rows), ROWS):
        await connection.executemany(statement, rows[start : start + ROWS])


async def _delete(connection: Connection, table: str, changes: Sequence[Change]) -> None:
    gone = [each.before.uuid for each in changes if each.before and not each.after]
    await connection.execute(f"DELETE FROM {table} WHERE id = ANY($1::uuid[])", gone)
