"""A state and the policy set that it compiles to, and both after a change, made aside.

Laws: what a change compiles to is what its whole state would; it is made without compiling the
others again where `change` and `declare` of `taskman_authz.policy` can. A company is told what is
wrong in terms of what it sees, and nothing of what others have.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..._fast.rows import ANYONE
from ...errors import CompileError
from ...issues import Issue, Issues, Place
from ...limits import Limits
from ...policy import PolicySet, Schema, change, compile_documents, declare
from ...policy.schema_document import read_schema
from .database import Head
from .edits import Change, applied
from .items import SCHEMA, Key, State, StoredDocument, StoredPolicy
from .texts import text_name, text_of, texts_of

THE_SCHEMA = Key("document", "", SCHEMA)
ADOPT = (
    "it was written by hand, or by another version; where it is as it should be,"
    " `taskman-authz db adopt` makes a revision of it"
)


class Compiled(NamedTuple):
    """The items of revision `number`, the set that they compile to, and the schema that it was
    checked against, if there is one."""

    number: int
    state: State
    policies: PolicySet
    schema: Schema | None

    @property
    def head(self) -> Head:
        """What it is a state of."""
        return Head(self.number, self.policies.revision)

    def changed(self, changes: Sequence[Change], company: str) -> Compiled:
        """What the next revision is if these changes are made by the writer of a company ("": the
        platform). Raises CompileError with all that is wrong."""
        state = applied(self.state, changes)
        number = self.number + 1
        policies = _changed(self, changes, state)
        if policies is None:
            return compile_state(number, state, self.policies.limits, company)
        # Where a role goes, any policy may have been attached to it.
        gone = any(key.kind == "role" and after is None for key, _, after in changes)
        _check_roles(state, policies, state if gone else [each.key for each in changes])
        return Compiled(number, state, policies, self.schema)


def compile_state(number: int, state: State, limits: Limits, company: str = "") -> Compiled:
    """A state compiled whole. Raises CompileError; where there is a company, for what it sees."""
    if company:
        compile_state(number, seen_by(company, state), limits)
    policies = compile_documents(texts_of(state).items(), limits)
    _check_roles(state, policies, state)
    schema = None
    held = state.get(THE_SCHEMA)
    if held is not None and isinstance(held.item, StoredDocument):
        schema, _ = read_schema(SCHEMA, held.item.text, limits)
    return Compiled(number, state, policies, schema)


def seen_by(company: str, state: State) -> State:
    """What a company sees of a state: its own, and what is of every company."""
    return {key: stored for key, stored in state.items() if key.company in ("", company)}


def plain_roles(state: State, company: str) -> set[str]:
    """The names of the roles that a company's policies can be attached to."""
    return {key.name for key in state if key.kind == "role" and key.company in ("", company)}


def _changed(compiled: Compiled, changes: Sequence[Change], state: State) -> PolicySet | None:
    """The set after changes, if it can be had without compiling all of it. (A policy that other
    things depend on, or one that is wrong, is left to that: then all is told.)"""
    if any(change.key.kind == "document" for change in changes):
        return None
    some = [each for each in changes if each.key.kind == "policy"]
    texts = [
        (text_name(key), text_of(key, after.item, ()))
        for key, _, after in some
        if after is not None
    ]
    gone = [(key.company, key.name) for key, _, after in some if after is None]
    before, then = declared_roles(compiled.state), declared_roles(state)
    made = compiled.policies
    try:
        if before != then:  # while policies go over, the roles of both are there
            companies = before.keys() | then.keys()
            none = frozenset[str]()
            made = declare(made, {c: before.get(c, none) | then.get(c, none) for c in companies})
        if some:
            made = change(made, texts, gone, schema=compiled.schema)
        return made if before == then else declare(made, then)
    except CompileError:
        return None


def declared_roles(state: State) -> dict[str, frozenset[str]]:
    """The names of roles by company."""
    found: dict[str, set[str]] = {}
    for key in state:
        if key.kind == "role":
            found.setdefault(key.company, set()).add(key.name)
    return {company: frozenset(names) for company, names in found.items()}


def _check_roles(state: State, policies: PolicySet, keys: Sequence[Key] | State) -> None:
    """Raises CompileError for policies attached to what is neither a role nor a derived one. (While
    nobody declares a role, documents may attach policies to any.)"""
    known: dict[str, set[str]] = {}
    issues = []
    for key in keys:
        stored = state.get(key)
        if stored is None or not isinstance(stored.item, StoredPolicy):
            continue
        if key.company not in known:
            known[key.company] = plain_roles(state, key.company) | policies.declared.derived
        for role in stored.item.roles:
            if role != ANYONE and role not in known[key.company]:
                message, hint = f"unknown role `{role}`", "create the role first"
                issues.append(Issue(Place(text_name(key)), "unknown_role", message, hint))
    if issues:
        raise CompileError(Issues.of(issues))
