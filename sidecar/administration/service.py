"""The methods, from bytes to bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import Any

from google.protobuf.message import DecodeError, Message

from taskman_authz.errors import ArgumentError, NotFoundError, RequestError, StoreError
from taskman_authz.limits import Limits
from taskman_authz.store.postgres import (
    Attach,
    Create,
    Delete,
    Detach,
    Edit,
    Entry,
    Filter,
    PolicyWriter,
    Update,
    Workshop,
)
from taskman_authz.v1 import administration_pb2 as pb
from taskman_authz.wire import decision_message, read_check

from ..authorization import Later, Served
from ..database.connecting import Connecting
from ..door import Call
from ..status import Code, Refusal
from .messages import (
    edit_of,
    issue_messages,
    policy_entry,
    policy_of,
    revision_message,
    role_entry,
    role_of,
    written_message,
)
from .permission import Asked, Permission

SERVICE: str = pb.DESCRIPTOR.services_by_name["PolicyAdministration"].full_name
PAGE = 100  # entries
Do = Callable[[PolicyWriter, Any], Awaitable[Message]]
Ask = Callable[[Any], list[Asked]]


class Administration:
    """Answers over the database of `connecting`, who has `permission`. `written` is called after a
    write."""

    def __init__(
        self,
        connecting: Connecting,
        permission: Permission,
        limits: Limits,
        written: Callable[[], object],
    ) -> None:
        self._connecting = connecting
        self._permission = permission
        self._limits = limits
        self._written = written
        self._workshop: Workshop | None = None

    def methods(self) -> Mapping[str, Served]:
        """The methods of the service by name."""
        edits: dict[str, Callable[[Any], Edit]] = {
            "CreatePolicy": lambda m: Create(policy_of(m.policy)),
            "UpdatePolicy": lambda m: Update(policy_of(m.policy)),
            "DeletePolicy": lambda m: Delete("policy", m.id),
            "CreateRole": lambda m: Create(role_of(m.role)),
            "UpdateRole": lambda m: Update(role_of(m.role)),
            "DeleteRole": lambda m: Delete("role", m.name),
            "AttachPolicy": lambda m: Attach(m.policy, m.role),
            "DetachPolicy": lambda m: Detach(m.policy, m.role),
        }
        others: dict[str, tuple[str, Do]] = {
            "GetPolicy": ("policies:view", self._get_policy),
            "GetRole": ("roles:view", self._get_role),
            "ListPolicies": ("policies:list", self._list_policies),
            "ListRoles": ("roles:list", self._list_roles),
            "Validate": ("policies:validate", self._validate),
            "DryRun": ("policies:dry_run", self._dry_run),
            "ListRevisions": ("policies:history", self._list_revisions),
            "Rollback": ("policies:rollback", self._rollback),
        }
        found: dict[str, Served] = {}
        for name, edit in edits.items():
            found[name] = self._method(name, _asks_edit(edit), self._writes(name, edit))
        for name, (action, do) in others.items():
            found[name] = self._method(name, partial(_asks_one, action), do)
        return found

    def _method(self, name: str, ask: Ask, do: Do) -> Later:
        kind: type[Message] = getattr(pb, f"{name}Request")

        async def answer(data: bytes, call: Call) -> bytes:
            try:
                request: Any = kind.FromString(data)
            except DecodeError:
                raise RequestError("request", f"expected a {name}Request") from None
            try:
                actor = await self._permission.require(request, call, ask(request))
                writer = (await self._shop()).writer(actor.subject, request.company_id)
                return (await do(writer, request)).SerializeToString()
            except ArgumentError as error:
                raise RequestError(error.argument, str(error).partition(": ")[2]) from None
            except StoreError as error:
                self._connecting.drop()  # by what may have become another user, or another place
                told = "the database of policies cannot be asked now, or holds what it should not"
                raise Refusal(Code.UNAVAILABLE, told) from error

        return Later(answer)

    async def _shop(self) -> Workshop:
        """Where writers work, on the connections that there are now."""
        database = await self._connecting.get()
        if self._workshop is None or self._workshop.database is not database:
            self._workshop = await asyncio.to_thread(Workshop, database)
        return self._workshop

    # -- writing ----------------------------------------------------------------------------------

    def _writes(self, name: str, edit: Callable[[Any], Edit]) -> Do:
        response: Any = getattr(pb, f"{name}Response")

        async def write(writer: PolicyWriter, request: Any) -> Message:
            written = await writer.write([edit(request)], expected_revision=_expected(request))
            self._written()
            made: Message = response(written=written_message(written))
            return made

        return write

    async def _rollback(self, writer: PolicyWriter, request: Any) -> Message:
        written = await writer.rollback(request.revision, expected_revision=_expected(request))
        self._written()
        return pb.RollbackResponse(written=written_message(written))

    # -- trying -----------------------------------------------------------------------------------

    async def _validate(self, writer: PolicyWriter, request: Any) -> Message:
        issues = await writer.validate([edit_of(each) for each in request.edits])
        return pb.ValidateResponse(issues=issue_messages(issues))

    async def _dry_run(self, writer: PolicyWriter, request: Any) -> Message:
        if len(request.requests) > self._limits.batch_size:
            raise RequestError("requests", f"more than {self._limits.batch_size} requests")
        edits = [edit_of(each) for each in request.edits]
        asked = [read_check(each.SerializeToString(), self._limits) for each in request.requests]
        places = {id(each): place for place, each in enumerate(asked)}
        flips = await writer.dry_run(edits, asked)
        planned = await writer.plan(edits)
        found = [
            pb.Flip(
                index=places[id(each.request)],
                before=decision_message(each.before),
                after=decision_message(each.after),
            )
            for each in flips
        ]
        return pb.DryRunResponse(flips=found, content_hash=planned.content_hash)

    # -- reading ----------------------------------------------------------------------------------

    async def _get_policy(self, writer: PolicyWriter, request: Any) -> Message:
        return pb.GetPolicyResponse(entry=policy_entry(await _seen(writer, "policy", request.id)))

    async def _get_role(self, writer: PolicyWriter, request: Any) -> Message:
        return pb.GetRoleResponse(entry=role_entry(await _seen(writer, "role", request.name)))

    async def _list_policies(self, writer: PolicyWriter, request: Any) -> Message:
        if request.effect not in ("", "allow", "deny"):
            raise RequestError("effect", "expected `allow` or `deny`")
        filter = Filter(
            request.of_company if request.HasField("of_company") else None,
            request.text,
            request.effect or None,
            request.role,
            request.action,
        )
        size = request.page_size or PAGE
        page = await writer.page("policy", filter, after=request.page_token, size=size)
        entries = map(policy_entry, page.entries)
        return pb.ListPoliciesResponse(entries=entries, next_page_token=page.next)

    async def _list_roles(self, writer: PolicyWriter, request: Any) -> Message:
        of = request.of_company if request.HasField("of_company") else None
        size = request.page_size or PAGE
        page = await writer.page(
            "role", Filter(of, request.text), after=request.page_token, size=size
        )
        return pb.ListRolesResponse(
            entries=map(role_entry, page.entries), next_page_token=page.next
        )

    async def _list_revisions(self, writer: PolicyWriter, request: Any) -> Message:
        before = request.before if request.HasField("before") else None
        found = await writer.history(before=before, size=request.page_size or PAGE)
        current = (await writer.head()).number
        return pb.ListRevisionsResponse(revisions=map(revision_message, found), current=current)


def asked_of(edit: Edit) -> list[Asked]:
    """What who makes an edit must be allowed."""
    if isinstance(edit, Attach | Detach):
        verb = "attach" if isinstance(edit, Attach) else "detach"
        return [(f"roles:{verb}", f"roles/{edit.role}")]
    if isinstance(edit, Delete):
        room = "policies" if edit.kind == "policy" else "roles"
        return [(f"{room}:delete", f"{room}/{edit.name}")]
    item: Any = edit.item
    verb = "create" if isinstance(edit, Create) else "edit"
    if "effect" not in item:
        return [(f"roles:{verb}", f"roles/{item['name']}")]
    attached = (("roles:attach", f"roles/{role}") for role in item["roles"])
    return [(f"policies:{verb}", f"policies/{item['id']}"), *attached]


def _asks_edit(edit: Callable[[Any], Edit]) -> Ask:
    return lambda request: asked_of(edit(request))


def _asks_one(action: str, request: Any) -> list[Asked]:
    """What is asked for one item, or for all where no one is meant."""
    names: Iterator[str] = (getattr(request, each, "") for each in ("id", "name"))
    return [(action, f"{action.partition(':')[0]}/{next(filter(None, names), '*')}")]


async def _seen(writer: PolicyWriter, kind: Any, name: str) -> Entry:
    """The company's own item of a name, or the one of every company."""
    try:
        return await writer.get(kind, name)
    except NotFoundError:
        if not writer.company:
            raise
    return await writer.get(kind, name, "")


def _expected(request: Any) -> int | None:
    return request.expected_revision if request.HasField("expected_revision") else None
