"""Messages ↔ what is stored."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from taskman_authz.errors import RequestError
from taskman_authz.issues import Issues
from taskman_authz.store.postgres import (
    Attach,
    Create,
    Delete,
    Detach,
    Edit,
    Entry,
    Key,
    Revision,
    Update,
    Written,
)
from taskman_authz.v1 import administration_pb2 as pb

POLICY = ("id", "name", "description", "effect", "condition", "overridable")
POLICY_LISTS = ("actions", "resources", "roles", "imports", "lint_ignore")


def policy_of(message: pb.Policy) -> dict[str, Any]:
    """A policy as the store reads it; it says what is wrong."""
    found = {name: value for name in POLICY if (value := getattr(message, name))}
    found |= {name: list(getattr(message, name)) for name in POLICY_LISTS}
    return {"id": message.id, "effect": message.effect, **found}


def role_of(message: pb.Role) -> dict[str, Any]:
    """A role as the store reads it."""
    found: dict[str, Any] = {"name": message.name, "lint_ignore": list(message.lint_ignore)}
    return found | ({"description": message.description} if message.description else {})


def edit_of(message: pb.Edit) -> Edit:
    """An edit. Raises RequestError for one that says nothing."""
    which = message.WhichOneof("edit")
    if which is None:
        raise RequestError("edits", "an edit that says nothing")
    said = getattr(message, which)
    verb, _, kind = which.partition("_")
    if verb == "delete":
        return Delete("policy" if kind == "policy" else "role", said)
    if verb in ("create", "update"):
        item = policy_of(said) if kind == "policy" else role_of(said)
        return Create(item) if verb == "create" else Update(item)
    return (Attach if verb == "attach" else Detach)(said.policy, said.role)


def written_message(written: Written) -> pb.Written:
    """What a write came to."""
    items = _changed(written.items)
    return pb.Written(revision=written.revision, content_hash=written.content_hash, items=items)


def revision_message(revision: Revision) -> pb.Revision:
    """A write that was made."""
    return pb.Revision(
        number=revision.number,
        content_hash=revision.content_hash,
        actor=revision.actor,
        company_id=revision.company,
        note=revision.note,
        at=_time(revision.at),
        items=_changed(revision.items),
    )


def policy_entry(entry: Entry) -> pb.PolicyEntry:
    """A policy that is stored."""
    data = entry.item.model_dump(include={*POLICY, *POLICY_LISTS})
    return pb.PolicyEntry(policy=pb.Policy(**data), **_row(entry))


def role_entry(entry: Entry) -> pb.RoleEntry:
    """A role that is stored."""
    data = entry.item.model_dump(include={"name", "description", "lint_ignore"})
    return pb.RoleEntry(role=pb.Role(**data), **_row(entry))


def issue_messages(issues: Issues) -> list[pb.Issue]:
    """What is wrong."""
    return [
        pb.Issue(place=str(each.place), code=each.code, message=each.message, hint=each.hint)
        for each in issues
    ]


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "company_id": entry.company,
        "uuid": entry.uuid,
        "created_at": _time(entry.created_at),
        "updated_at": _time(entry.updated_at),
    }


def _changed(items: Iterable[tuple[str, Key]]) -> list[pb.ChangedItem]:
    return [
        pb.ChangedItem(change=verb, kind=key.kind, company_id=key.company, name=key.name)
        for verb, key in items
    ]


def _time(at: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(at)
    return made
