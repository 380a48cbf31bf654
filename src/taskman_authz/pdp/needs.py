"""What is needed to decide: the attributes that the conditions with a say on a request read, and
that the request does not give. Whoever knows attributes is asked for these, and no others.

Laws: needs may name too many attributes, never too few: a request that is given all that it needs
is decided as one that is given everything (roles aside, which say which conditions have a say, and
so must be there before). What reads the clock, or may, is not timeless. Nothing is evaluated.

A condition that reads an attribute which nobody could give fails, and closes. One that asks whether
it is there (`has`, `.?`, the subject as a whole) does not: what it would then say of an attribute
that is there, nobody knows. `Needs.unsure` names these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from .._fast.tree import Call, Comprehension, Expr, Ident, Literal, Select
from ..cel import Env, Source
from ..cel.env import POLICY_VARIABLES, policy_env
from ..cel.nesting import children
from ..policy import PolicySet
from ..request import CheckRequest

EVERYTHING = "*"  # stands for all attributes: a condition reads the whole, or a member by a value
# What is part of every subject and resource, and never asked for.
PARTS = frozenset({"type", "id", "roles"})

Read = tuple[str, str]  # a policy variable and its member, or EVERYTHING


class Needs(msgspec.Struct, frozen=True):
    """Names of attributes that are needed and not given; EVERYTHING among them where all are.
    `is_timeless`: the same attributes give the same decision at every time. `unsure`: what is read
    so that its absence is an answer, as `("subject", "name")`."""

    subject: frozenset[str] = frozenset()
    resource: frozenset[str] = frozenset()
    is_timeless: bool = True
    unsure: frozenset[Read] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.subject or self.resource)

    @property
    def lacking(self) -> frozenset[Read]:
        """All that is needed and not given, as `("subject", "name")`."""
        subject = (("subject", name) for name in self.subject)
        resource = (("resource", name) for name in self.resource)
        return frozenset((*subject, *resource))


NOTHING = Needs()


def needs(policies: PolicySet, request: CheckRequest) -> Needs:
    """What deciding `request` by `policies` needs and the request lacks."""
    rows = policies.index.candidates(
        request.company_id,
        request.action,
        request.resource_type,
        request.resource_id,
        request.roles,
    )
    subject: set[str] = set()
    resource: set[str] = set()
    unsure: set[Read] = set()
    is_timeless = True
    for row in rows:
        if row.text:
            read = reads(row.text)
            subject |= read.subject
            resource |= read.resource
            unsure |= read.unsure
            is_timeless &= read.is_timeless
    if is_timeless and not subject and not resource:
        return NOTHING
    return Needs(
        _lacking(subject, request.subject),
        _lacking(resource, request.resource),
        is_timeless,
        frozenset(unsure),
    )


@lru_cache(maxsize=100_000)  # the conditions of a set; parsing one takes some microseconds
def reads(condition: str) -> Needs:
    """The attributes of the subject and the resource that a condition may read, and whether it is
    timeless: it does not read `now`, and all its functions are those that every policy has (of
    others nobody here knows whether they are pure)."""
    parsed = _env().parse(Source(condition, "<condition>"))
    found = set(_reads(parsed.expr, frozenset()))
    return Needs(
        frozenset(name for root, name, _ in found if root == "subject" and name not in PARTS),
        frozenset(name for root, name, _ in found if root == "resource" and name not in PARTS),
        not any(root == "now" for root, _, _ in found) and _calls(parsed.expr) <= _pure(),
        frozenset((root, name) for root, name, unsure in found if unsure),
    )


@lru_cache(maxsize=1)
def _env() -> Env:
    return policy_env()


@lru_cache(maxsize=1)
def _pure() -> frozenset[str]:
    return frozenset(_env().declarations.functions)


def _calls(tree: Expr) -> frozenset[str]:
    """Names of the functions that are called below `tree`."""
    found: set[str] = set()
    left = [tree]
    while left:
        each = left.pop()
        if type(each) is Call:
            target = each.target
            qualified = f"{target.name}.{each.function}" if isinstance(target, Ident) else ""
            found.add(qualified if qualified in _pure() else each.function)
        left.extend(children(each))
    return frozenset(found)


def _lacking(names: set[str], given: Any) -> frozenset[str]:
    if given is None:
        return frozenset(names)
    if isinstance(given, Mapping):
        return frozenset(name for name in names if name not in given)
    return frozenset()  # an object of the caller's has the attributes that it has


def _reads(tree: Expr, hidden: frozenset[str]) -> Iterator[tuple[str, str, bool]]:
    """Each attribute read below `tree`, and whether so that its absence is an answer; `hidden` are
    the variables of the macros around."""
    found = _attribute(tree, hidden)
    if found is not None:
        yield *found, _is_unsure(tree)
        if type(tree) is Call:
            for argument in tree.args[1:]:
                yield from _reads(argument, hidden)
        return
    if isinstance(tree, Comprehension):
        yield from _reads(tree.iter_range, hidden)
        yield from _reads(tree.accu_init, hidden)
        outer = hidden | {tree.accu_var}
        inner = outer | {tree.iter_var, tree.iter_var2}
        yield from _reads(tree.loop_condition, inner)
        yield from _reads(tree.loop_step, inner)
        yield from _reads(tree.result, outer)
        return
    for child in children(tree):
        yield from _reads(child, hidden)


def _attribute(tree: Expr, hidden: frozenset[str]) -> Read | None:
    """The attribute that a tree itself reads: `subject.a`, `subject["a"]`, `subject.?a`; or the
    whole, `subject`."""
    if isinstance(tree, Ident):
        root = _root(tree, hidden)
        return (root, EVERYTHING) if root else None
    if isinstance(tree, Select):
        root = _root(tree.operand, hidden)
        return (root, tree.field) if root else None
    if isinstance(tree, Call) and tree.function in _MEMBERS and tree.target is None:
        root = _root(tree.args[0], hidden)
        key = tree.args[1]
        if root:
            named = isinstance(key, Literal) and isinstance(key.value, str)
            return (root, key.value if named else EVERYTHING)  # type: ignore[attr-defined]
    return None


def _is_unsure(tree: Expr) -> bool:
    if isinstance(tree, Select):
        return tree.test_only
    return not isinstance(tree, Call) or tree.function != "_[_]"


_MEMBERS = ("_[_]", "_[?_]", "_?._")


def _root(tree: Expr, hidden: frozenset[str]) -> str:
    """The policy variable that a tree is; "" where it is none, or one of a macro."""
    if not isinstance(tree, Ident) or tree.name in hidden:
        return ""
    name = tree.name.removeprefix(".")
    return name if name in POLICY_VARIABLES else ""
