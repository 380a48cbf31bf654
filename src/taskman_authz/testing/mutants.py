"""Changed policies: what could have been written by mistake, one small thing at a time.

Laws: a mutant is a policy of its own, in the language of policies, and compiles by the same road;
what differs from the policy in nothing, or from another mutant in nothing, is none. One is told
`equivalent` only where it is certain that no request is decided otherwise: an allow rule that loses
`has(x)` beside a clause that cannot be true without `x`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .._fast.tree import Call, Comprehension, Expr, Ident, Select
from ..cel.clauses import AND, CHOICE, JUNCTIONS, NOT, OR, Clause, clauses
from ..cel.explanation import Writer, children, operands
from ..cel.parser import Parsed
from ..cel.unparser import TERNARY, UNARY, Walk

# What may not read an operand, or not fail with it.
LAZY = (AND, OR, CHOICE, "_?._", "_[?_]", "@not_strictly_false", "or", "orValue")


class Mutation(NamedTuple):
    """A change of a policy: its `kind`, in words, and the policy (`Policy`'s fields) that it makes,
    None if it takes the policy away."""

    kind: str
    what: str
    policy: dict[str, Any] | None
    equivalent: bool = False


def mutations(policy: Mapping[str, Any], parsed: Parsed | None) -> Iterator[Mutation]:
    """The mutations of a policy document's policy, whose condition was `parsed`."""
    seen = [dict(policy)]
    for found in _all(policy, parsed):
        if found.policy not in seen:
            seen.append(found.policy or {})
            yield found


def _all(policy: Mapping[str, Any], parsed: Parsed | None) -> Iterator[Mutation]:
    yield Mutation("delete rule", "the policy is not there", None)
    other = "deny" if policy["effect"] == "allow" else "allow"
    yield Mutation("flip effect", f"{policy['effect']} -> {other}", {**policy, "effect": other})
    roles = policy.get("roles") or []
    for role in roles if len(roles) > 1 else ():  # without any it is nobody's, which is as deleted
        others = [each for each in roles if each != role]
        yield Mutation("drop role", role, {**policy, "roles": others})
    for field, separator in (("actions", ":"), ("resources", "/")):
        for number, pattern in enumerate(policy[field]):
            wide = wider(pattern, separator)
            if wide and wide not in policy[field]:
                patterns = [*policy[field][:number], wide, *policy[field][number + 1 :]]
                what = f"{pattern} -> {wide}"
                yield Mutation("widen pattern", what, {**policy, field: patterns})
    if parsed is not None:
        yield from _of_condition(policy, parsed)


def wider(pattern: str, separator: str) -> str:
    """The next wider pattern: `tasks:edit`, `tasks:*`, `*`; "" of the widest."""
    if pattern == "*":
        return ""
    head, found, last = pattern.rpartition(separator)
    if last != "*":
        return f"{head}{found}*"
    return f"{head.rpartition(separator)[0]}{separator}*" if separator in head else "*"


# -- conditions -----------------------------------------------------------------------------------


def _of_condition(policy: Mapping[str, Any], parsed: Parsed) -> Iterator[Mutation]:
    whole = {key: value for key, value in policy.items() if key != "condition"}
    yield Mutation("drop condition", "the condition is not there", whole)
    junctions = dict(_junctions(parsed.expr, parsed.macro_calls))
    for clause in clauses(parsed):
        text = _Mutator(parsed.macro_calls, negated=clause.id).text(parsed.expr)
        yield Mutation("negate clause", clause.text, {**policy, "condition": text})
        if clause.id in junctions:
            text = _Mutator(parsed.macro_calls, dropped=clause.id).text(parsed.expr)
            yield Mutation(
                "drop clause",
                clause.text,
                {**policy, "condition": text},
                policy["effect"] == "allow" and _guards(parsed.expr, clause),
            )


def _junctions(tree: Expr, macro_calls: Mapping[int, Call]) -> Iterator[tuple[int, Call]]:
    """The junction that each operand of one is part of, by the operand's id."""
    written = macro_calls.get(tree.id, tree)
    if isinstance(written, Call) and written.function in JUNCTIONS:
        for operand in operands(written, written.function):
            yield operand.id, written
            yield from _junctions(operand, macro_calls)
        return
    for part in children(written):
        yield from _junctions(part, macro_calls)


class _Mutator(Writer):
    """Writes a condition without one operand of a junction, or with a part negated."""

    def __init__(self, macro_calls: Mapping[int, Call], dropped: int = 0, negated: int = 0) -> None:
        super().__init__(macro_calls)
        self.dropped = dropped
        self.negated = negated

    def walk(self, expr: Expr) -> Walk:
        if expr.id == self.negated:
            return self.negation(expr)
        if isinstance(expr, Call) and expr.function in JUNCTIONS:
            terms = self.terms(expr, max(self.counts(expr, expr.function)))
            if len(terms) == 1 and terms[0] is not expr:  # all that is left of it
                return self.walk(terms[0])
        return super().walk(expr)

    def terms(self, expr: Expr, count: int) -> list[Expr]:
        return [term for term in super().terms(expr, count) if term.id != self.dropped]

    def negation(self, expr: Expr) -> Walk:
        self.negated = 0
        if isinstance(expr, Call) and expr.function == NOT:
            return (yield expr.args[0], TERNARY), TERNARY
        return f"!{(yield expr, UNARY)}", UNARY


# -- equivalence ----------------------------------------------------------------------------------


def _guards(tree: Expr, clause: Clause) -> bool:
    """Whether a clause is `has(x)` among the operands of a `&&`, another of which fails where there
    is no `x`. Then that `&&` is not true without it either; and nor is the condition, if there are
    only `&&` and `||` above."""
    if not isinstance(tree, Call) or tree.function not in JUNCTIONS:
        return False
    parts = list(operands(tree, tree.function))
    guard = next((part for part in parts if part.id == clause.id), None)
    if guard is None:
        return any(_guards(part, clause) for part in parts)
    if tree.function != AND or not isinstance(guard, Select) or not guard.test_only:
        return False
    path = _path(guard.operand)
    return path is not None and any(
        _reads(part, (*path, guard.field)) for part in parts if part is not guard
    )


def _reads(tree: Expr, path: tuple[str, ...]) -> bool:
    """Whether a part certainly fails where an attribute is not there: it reads it, and has no way
    around that."""
    found = _path(tree)
    if found is not None:
        return found[: len(path)] == path
    if isinstance(tree, Comprehension):
        return _reads(tree.iter_range, path)
    if isinstance(tree, Call) and tree.function in LAZY:
        # A ternary fails with what it asks; a junction may not come to its operands.
        return tree.function == CHOICE and _reads(tree.args[0], path)
    if isinstance(tree, Select) and tree.test_only:
        return _reads(tree.operand, path)
    return any(_reads(part, path) for part in children(tree))


def _path(tree: Expr) -> tuple[str, ...] | None:
    """The attribute path that a part writes: `a.b.c`."""
    fields: list[str] = []
    while isinstance(tree, Select) and not tree.test_only:
        fields.append(tree.field)
        tree = tree.operand
    return (tree.name, *reversed(fields)) if isinstance(tree, Ident) else None
