"""The write side: policies, roles and documents of a database, changed through a compile.

Begin with `PolicyWriter`, which `Workshop.writer` makes: one for a company, or for the platform,
which writes for all. A `Workshop` keeps what the current revision compiles to, so that a write need
not read everything again.

Laws: what does not compile is not written. Rows, revision and events are one transaction. Writers
take turns (an advisory lock), so revisions have no gaps. What a company's writer reads and writes
is done as the role that its rows are all there is to.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from ...decision import Decision
from ...errors import (
    ArgumentError,
    CompileError,
    ConflictError,
    NotFoundError,
    RequestError,
    StoreError,
    require,
)
from ...issues import Issues
from ...policy import PolicySet, compile_documents
from ...request import CheckRequest
from . import history, listing
from .compiled import ADOPT, Compiled, compile_state
from .connecting import TOO_LONG
from .database import Database, Head, become, head_of
from .edits import (
    Attach,
    Change,
    Create,
    Delete,
    Detach,
    Edit,
    Update,
    Verb,
    check_company,
    resolve,
)
from .events import adopted, events_of, write_events
from .history import Revision
from .items import Given, Key, Kind
from .listing import Entry, Filter, Page
from .reading import state_of
from .writing import write_history, write_rows

if TYPE_CHECKING:
    from .connecting import Connection

LOCK = 0x7A3A_0002  # of this database, while somebody writes policies


class Written(msgspec.Struct, frozen=True):
    """The revision after a write, and what became of which item. Without items nothing was
    written: all was so already, and the revision is the current one."""

    revision: int
    content_hash: str
    items: tuple[tuple[Verb, Key], ...] = ()


class Flip(msgspec.Struct, frozen=True):
    """A request that would be decided otherwise."""

    request: CheckRequest
    before: Decision
    after: Decision


class Workshop:
    """Where writers of one database work. Share it: it keeps what was compiled last."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.empty = compile_documents([], database.limits).revision
        self._last: Compiled | None = None
        # Who waits for a turn here holds no connection meanwhile, which readers need.
        self._turns = asyncio.Lock()

    def writer(self, actor: str, company: str = "") -> PolicyWriter:
        """A writer for a company, or ("") for the platform; `actor` is who is behind it, as
        revisions and events tell. Raises ArgumentError."""
        check_company(company)
        require("actor", actor, str, "who writes, as `type:id`")
        if not actor or len(actor) > self.database.limits.identifier_length or "\0" in actor:
            raise ArgumentError("actor", "who writes, as `type:id`", "another text")
        return PolicyWriter(self, actor, company)

    async def current(self, connection: Connection) -> Compiled:
        """What the current revision holds; the transaction is the platform's. Raises StoreError."""
        head = await head_of(connection, self.empty)
        last = self._last
        if last is None or last.head != head:
            last = await self.read(connection, head.number)
            if last.head != head:
                raise StoreError(f"what is stored is not revision {head.number}: {ADOPT}")
            self._last = last
        return last

    async def read(self, connection: Connection, number: int) -> Compiled:
        """What is stored, as revision `number`; the transaction is the platform's. Raises
        StoreError where it does not compile."""
        state = await state_of(connection)
        try:
            return await asyncio.to_thread(compile_state, number, state, self.database.limits)
        except CompileError as error:
            raise StoreError(f"what is stored does not compile:\n{error}") from error

    def keep(self, compiled: Compiled) -> None:
        """What was compiled for a write, once it is written."""
        self._last = compiled

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Connection]:
        """A transaction of the platform in which nobody else writes."""
        async with self._turn_here(), self.database.transaction(None) as connection:
            # A little less than the driver waits, so that what is told is why.
            wait = self.database.limits.database_seconds * 900
            await connection.execute(f"SET LOCAL lock_timeout = {wait}")
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            yield connection

    @asynccontextmanager
    async def _turn_here(self) -> AsyncIterator[None]:
        """A turn among the writers of this process."""
        try:
            async with asyncio.timeout(self.database.limits.database_seconds):
                await self._turns.acquire()
        except TimeoutError as error:
            raise StoreError(TOO_LONG) from error
        try:
            yield
        finally:
            self._turns.release()


class PolicyWriter:
    """Creates, changes and reads what is one company's, or everybody's.

    Each write takes `expected_revision`: what the caller saw last. If something that this writer
    sees was changed after it, the write is refused (ConflictError). Without it the write is made to
    whatever is there.
    """

    def __init__(self, workshop: Workshop, actor: str, company: str) -> None:
        self._workshop = workshop
        self._database = workshop.database
        self._limits = workshop.database.limits
        self.actor = actor
        self.company = company

    @property
    def _seen(self) -> str | None:
        return self.company or None

    # -- writing -----------------------------------------------------------------------------------

    async def create(self, item: Given, *, expected_revision: int | None = None) -> Written:
        """A new policy, role or document. Raises CompileError with all that is wrong, ConflictError
        (also if there is one of this name), StoreError."""
        return await self.write([Create(item)], expected_revision=expected_revision)

    async def update(self, item: Given, *, expected_revision: int | None = None) -> Written:
        """Another content of one that is there. Raises as `create`, and NotFoundError."""
        return await self.write([Update(item)], expected_revision=expected_revision)

    async def delete(
        self, kind: Kind, name: str, *, expected_revision: int | None = None
    ) -> Written:
        """A policy (by id), role or document (by name) away. Raises as `update`; CompileError where
        others still need it."""
        return await self.write([Delete(kind, name)], expected_revision=expected_revision)

    async def attach(
        self, policy: str, role: str, *, expected_revision: int | None = None
    ) -> Written:
        """Attach a policy to a role. Raises as `update`."""
        return await self.write([Attach(policy, role)], expected_revision=expected_revision)

    async def detach(
        self, policy: str, role: str, *, expected_revision: int | None = None
    ) -> Written:
        """Attach a policy to a role no more. Raises as `update`."""
        return await self.write([Detach(policy, role)], expected_revision=expected_revision)

    async def write(
        self, edits: Sequence[Edit], *, expected_revision: int | None = None, note: str = ""
    ) -> Written:
        """All of some edits, or none. Raises as `update`."""
        edits = self._checked(edits)
        require("note", note, str, "a text")
        if len(note) > self._limits.name_length:
            longest = f"a text of up to {self._limits.name_length} characters"
            raise ArgumentError("note", longest, "a longer one")
        async with self._workshop.turn() as connection:
            current = await self._workshop.current(connection)
            await self._expect(connection, expected_revision, current.number)
            changes = await self._resolved(edits, current)
            after = await self._write(connection, current, changes, note)
        return self._written(after, changes)

    async def rollback(self, revision: int, *, expected_revision: int | None = None) -> Written:
        """Everything of this writer as it was at a revision, as a new one; a company's leaves what
        is others'. Raises NotFoundError for a revision that was not, and as `write`."""
        async with self._workshop.turn() as connection:
            current = await self._workshop.current(connection)
            if type(revision) is not int or not 0 <= revision <= current.number:
                raise NotFoundError(f"there is no revision {revision}")
            await self._expect(connection, expected_revision, current.number)
            changes = await history.changes_back(connection, revision, current.state, self.company)
            note = f"rollback to revision {revision}"
            after = await self._write(connection, current, changes, note)
        return self._written(after, changes)

    async def _write(
        self, connection: Connection, current: Compiled, changes: Sequence[Change], note: str
    ) -> Compiled:
        """What is there after changes, which are written if there are any."""
        if not changes:
            return current
        after = await asyncio.to_thread(current.changed, changes, self.company)
        await become(connection, self._seen)
        await write_rows(connection, changes, after.state)
        await write_history(connection, after.head, changes, (self.company, self.actor, note))
        at = datetime.now(UTC)
        most = self._limits.event_names
        await write_events(connection, list(events_of(after.head, changes, self.actor, at, most)))
        return after

    async def _resolved(self, edits: Sequence[Edit], current: Compiled) -> list[Change]:
        state, number = current.state, current.number
        return await asyncio.to_thread(resolve, edits, state, number, self.company)

    async def adopt(self, note: str = "") -> Written:
        """A revision of the rows as they are, where they are not what the last one says: somebody
        wrote them by hand, or another version made other hashes. The platform's only; what changed
        so is in no history. Raises ArgumentError, StoreError where they do not compile."""
        if self.company:
            raise ArgumentError("company", "the platform's writer", "a company's")
        async with self._workshop.turn() as connection:
            head = await head_of(connection, self._workshop.empty)
            found = await self._workshop.read(connection, head.number + 1)
            if found.policies.revision == head.content_hash:
                return Written(*head)
            await write_history(connection, found.head, (), ("", self.actor, note))
            await write_events(connection, [adopted(found.head, self.actor, datetime.now(UTC))])
        return self._written(found, ())

    def _written(self, after: Compiled, changes: Sequence[Change]) -> Written:
        """What was written, now that it is."""
        self._workshop.keep(after)
        return _told(after, changes)

    async def _expect(self, connection: Connection, expected: int | None, current: int) -> None:
        """Raises ConflictError where something that the writer sees changed since `expected`."""
        if expected is None:
            return
        if type(expected) is not int:
            raise ArgumentError.of("expected_revision", "the number of a revision", expected)
        seen = await history.last_seen(connection, self.company) if self.company else current
        if not seen <= expected <= current:
            raise ConflictError(
                f"expected revision {expected}, but the current one is {current}", current
            )

    def _checked(self, edits: Sequence[Edit]) -> list[Edit]:
        found = list(edits)
        if len(found) > self._limits.write_edits:
            expected = f"at most {self._limits.write_edits} edits (write_edits)"
            raise ArgumentError("edits", expected, f"{len(found)}")
        return found

    # -- trying ------------------------------------------------------------------------------------

    async def validate(self, edits: Sequence[Edit]) -> Issues:
        """All that is wrong with edits; nothing is written. Raises ConflictError and NotFoundError
        for edits that cannot be made at all, StoreError."""
        try:
            await self.plan(edits)
        except CompileError as error:
            return error.issues
        return Issues()

    async def dry_run(self, edits: Sequence[Edit], requests: Iterable[CheckRequest]) -> list[Flip]:
        """The requests among some that would be decided otherwise; nothing is written. A company's
        writer is told of its own company's only. Raises RequestError for others, and as `write`."""
        asked = list(requests)
        for request in asked:
            require("requests", request, CheckRequest, "requests")
            if self.company and request.company_id != self.company:
                raise RequestError("company_id", "expected the writer's own company")
        before, after, _ = await self._tried(edits)
        return await asyncio.to_thread(_flips, before.policies, after.policies, asked)

    async def plan(self, edits: Sequence[Edit]) -> Written:
        """What `write` would make of edits; nothing is written. Raises as `write`."""
        before, after, changes = await self._tried(edits)
        return _told(after if changes else before, changes)

    async def _tried(self, edits: Sequence[Edit]) -> tuple[Compiled, Compiled, list[Change]]:
        edits = self._checked(edits)
        async with self._database.transaction(None, reads=True) as connection:
            current = await self._workshop.current(connection)
        changes = await self._resolved(edits, current)
        after = await asyncio.to_thread(current.changed, changes, self.company)
        return current, after, changes

    # -- reading -----------------------------------------------------------------------------------

    async def get(self, kind: Kind, name: str, company: str | None = None) -> Entry:
        """One policy (by id), role or document (by name): the writer's own, or of `company`, ""
        being every one. Raises NotFoundError, StoreError."""
        key = Key(kind, self.company if company is None else company, name)
        async with self._database.transaction(self._seen, reads=True) as connection:
            found = await listing.find(connection, key)
        if found is None:
            raise NotFoundError(f"there is no {key}")
        return found

    async def page(
        self, kind: Kind, filter: Filter = listing.ALL, *, after: str = "", size: int = 100
    ) -> Page:
        """A page of what this writer sees, by id or name; `after` is the `next` of the page before.
        Raises ArgumentError, StoreError."""
        size = min(size, self._limits.page_size)
        async with self._database.transaction(self._seen, reads=True) as connection:
            return await listing.page(connection, kind, filter, after, size)

    async def history(self, *, before: int | None = None, size: int = 100) -> list[Revision]:
        """Revisions, the newest first, those before number `before` if it is given, each with what
        this writer sees of its changes. Raises StoreError."""
        size = min(size, self._limits.page_size)
        async with self._database.transaction(self._seen, reads=True) as connection:
            return await history.revisions(connection, before, size)

    async def head(self) -> Head:
        """The current revision. Raises StoreError."""
        async with self._database.transaction(None, reads=True) as connection:
            return await head_of(connection, self._workshop.empty)


def _told(after: Compiled, changes: Sequence[Change]) -> Written:
    items = tuple((each.verb, each.key) for each in changes)
    return Written(after.number, after.policies.revision, items)


def _flips(before: PolicySet, after: PolicySet, requests: list[CheckRequest]) -> list[Flip]:
    flips = []
    for request in requests:
        old, new = (_decision(policies, request) for policies in (before, after))
        if old.allowed != new.allowed:
            flips.append(Flip(request, old, new))
    return flips


def _decision(policies: PolicySet, request: CheckRequest) -> Decision:
    outcome = policies.decider.decide(request)
    return Decision(outcome.allowed, outcome.reasons, policies.revision)
