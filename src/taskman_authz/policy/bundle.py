"""A bundle: compiled policies in one file, which is loaded without parsing or checking anything.

    line `taskman-authz bundle 2` · SHA-256 of the content · length of the signature (0 or 64) ·
    Ed25519 signature · content (msgpack of `Content`)

Laws: whatever the bytes are, `read` gives a policy set or raises StoreError. What its hash or its
signature does not fit is refused before anything in it is looked at. A condition is planned when a
question first needs it; one whose tree turns out to mean nothing, which no compiler writes, is a
fault then, and closes. The set is the one that the documents compile to: same revision, same
decisions.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from .._fast.deferred import Deferred
from .._fast.nodes import Attribute, Constant, Node
from .._fast.required import MOST_TEXTS, Required
from .._fast.rows import RuleRow
from .._fast.values import Fault
from ..cel import Env, policy_env, policy_layout
from ..cel.layout import Layout
from ..cel.planner import OPERATORS, plan
from ..errors import StoreError
from ..limits import DEFAULT, Limits
from . import bundle_trees
from .assembly import assemble, make_row
from .origins import Origins
from .patterns import ACTION_SEPARATOR, RESOURCE_SEPARATOR, pattern_error
from .policy_set import Declared, PolicySet
from .signing import SIGNATURE_LENGTH, is_signed, sign

BEGINNING = b"taskman-authz bundle "
MAGIC = BEGINNING + b"2\n"
DIGEST_LENGTH = 32
HEAD = len(MAGIC) + DIGEST_LENGTH + 1
# What msgspec raises for bytes that are something else: a text in them may be no UTF-8.
UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
# A level of a tree takes so many bytes at least: a shorter one is not too deep.
LEVEL_BYTES = 3

Count = Annotated[int, Meta(ge=0)]
Texts = tuple[str, ...]
Patterns = tuple[Texts, Texts, Texts]  # of actions, of resources, and roles


class _Part(Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    pass


class Condition(_Part):
    """A condition: its text, its checked tree (`bundle_trees`), and what it requires of which
    paths."""

    text: str
    tree: msgspec.Raw
    required: tuple[tuple[Count, Texts], ...]


class Rule(_Part):
    """A policy; `condition` is its condition's number, -1 if it has none."""

    id: str
    company: str
    deny: bool
    actions: Texts
    resources: Texts
    roles: Texts
    condition: Annotated[int, Meta(ge=-1)]


class Content(_Part):
    """What a bundle holds: the declared roles by company, whether a schema has checked it and its
    actions by kind, the ids that companies have overridden, the names of derived roles, the
    functions that conditions call (with how many arguments), the attribute paths that they read,
    how many registers they need."""

    roles: dict[str, Texts]
    typed: bool
    actions: dict[str, Texts]
    overridden: Texts
    derived: Texts
    functions: tuple[tuple[str, Count], ...]
    paths: tuple[Annotated[Texts, Meta(min_length=1)], ...]
    registers: Count
    conditions: tuple[Condition, ...]
    rules: tuple[Rule, ...]


# -- writing --------------------------------------------------------------------------------------


def write(policies: PolicySet, sign_key: str | os.PathLike[str] | None = None) -> bytes:
    """The bundle of a policy set: the same set, the same bytes. With a PEM file of an Ed25519
    private key it is signed. Raises StoreError where that is none."""
    content = msgspec.msgpack.encode(_content(policies))
    digest = hashlib.sha256(content).digest()
    signature = b"" if sign_key is None else sign(digest, sign_key)
    return b"".join((MAGIC, digest, bytes((len(signature),)), signature, content))


def _content(policies: PolicySet) -> Content:
    env = policy_env(policies.limits)
    declared = policies.declared
    rows = sorted(policies.rules, key=lambda row: (row.company or "", row.id))
    numbers: dict[str, int] = {}
    conditions: list[Condition] = []
    functions: set[tuple[str, int]] = set()
    paths = {(path.name, *path.members): path for path in policies.decider.paths}
    slots = {path: number for number, path in enumerate(sorted(paths))}
    for row in rows:
        if row.condition is not None and row.text not in numbers:
            numbers[row.text] = len(numbers)
            writer = bundle_trees.Writer(env.check(row.text), functions)
            tree = msgspec.Raw(bundle_trees.encode(writer.node(writer.checked.tree)))
            conditions.append(Condition(row.text, tree, _required(row, slots)))
    return Content(
        {company: tuple(sorted(roles)) for company, roles in sorted(declared.roles.items())},
        declared.typed,
        dict(declared.actions),
        tuple(sorted(declared.overridden)),
        tuple(sorted(declared.derived)),
        tuple(sorted(functions)),
        tuple(sorted(paths)),
        policies.decider.registers,
        tuple(conditions),
        tuple(_rule(row, numbers) for row in rows),
    )


def _required(row: RuleRow, slots: dict[Texts, int]) -> tuple[tuple[int, Texts], ...]:
    found = []
    for one in row.required:
        path = one.reader.path
        found.append((slots[path.name, *path.members], one.texts))
    return tuple(sorted(found))


def _rule(row: RuleRow, numbers: dict[str, int]) -> Rule:
    number = -1 if row.condition is None else numbers[row.text]
    patterns = (row.actions, row.resources, row.roles)
    return Rule(row.id, row.company or "", row.deny, *patterns, number)


# -- reading --------------------------------------------------------------------------------------


def read(
    data: bytes,
    limits: Limits = DEFAULT,
    verify_key: str | os.PathLike[str] | None = None,
    name: str = "<bundle>",
) -> PolicySet:
    """The policy set of a bundle. With a PEM file of an Ed25519 public key only a bundle that its
    owner signed is read. Raises StoreError, which calls the bundle `name`."""
    try:
        content = _decode(_content_bytes(data, limits, verify_key))
        return _Loader(content, limits).policies()
    except _Bad as error:
        raise StoreError(f"`{name}` {error}") from None


class _Bad(Exception):
    """What is wrong with a bundle."""


def _content_bytes(data: bytes, limits: Limits, verify_key: str | os.PathLike[str] | None) -> bytes:
    """The content, if the hash and the signature are its."""
    if len(data) > limits.bundle_bytes:
        raise _Bad(f"is larger than {limits.bundle_bytes} bytes")
    if not data.startswith(MAGIC):
        known = data.startswith(BEGINNING)
        raise _Bad("is a bundle of another version" if known else "is no bundle")
    digest, length = data[len(MAGIC) : HEAD - 1], data[HEAD - 1 : HEAD]
    if not length or length[0] not in (0, SIGNATURE_LENGTH):
        raise _Bad("is damaged: its head is cut off")
    signature = data[HEAD : HEAD + length[0]]
    content = data[HEAD + length[0] :]
    if hashlib.sha256(content).digest() != digest:
        raise _Bad("is damaged: its hash is not that of what it holds")
    if verify_key is not None:
        if not signature:
            raise _Bad("is not signed")
        if not is_signed(digest, signature, verify_key):
            raise _Bad(f"is not signed by the owner of `{os.fspath(verify_key)}`")
    return content


_DECODER = msgspec.msgpack.Decoder(Content)


def _decode(content: bytes) -> Content:
    try:
        return _DECODER.decode(content)
    except UNDECODABLE as error:
        raise _Bad(f"holds something else than policies: {error}") from None


class _Fixed(Layout):
    """A layout that is complete: what a condition reads is in it, or the condition is wrong."""

    def __init__(self, paths: Iterable[Texts], registers: int) -> None:
        super().__init__(policy_layout().roots)
        self.known: dict[Texts, int] = {}
        for variable, *members in paths:
            if variable not in self.roots:
                raise _Bad("reads a variable that policies do not have")
            self.known[variable, *members] = super().slot(variable, tuple(members))
        self.registers = registers

    def slot(self, variable: str, members: tuple[str, ...] = ()) -> int:
        return self.known[variable, *members]

    def need_registers(self, count: int) -> None:
        if count > self.registers:
            raise ValueError("a condition needs more registers than there are")


class _Loader:
    """Makes a policy set of a content whose shape is right."""

    def __init__(self, content: Content, limits: Limits) -> None:
        self.content = content
        self.limits = limits
        self.env = policy_env(limits)
        if content.registers > limits.expression_nodes:
            raise _Bad("needs too many registers")
        self.layout = _Fixed(content.paths, content.registers)
        if len(self.layout.paths) != len(content.paths):
            raise _Bad("has a path twice")
        self.patterns: dict[Patterns, Patterns] = {}  # equal ones are kept, and checked, once

    def policies(self) -> PolicySet:
        """The policy set."""
        content = self.content
        self._check_functions()
        self._check_ids()
        for one in content.conditions:
            self._check_tree(one.tree)
        planner = _Planner(self.env, self.layout, self.limits)
        nodes = [Deferred(planner, bytes(one.tree)) for one in content.conditions]
        readers = [Attribute(slot, path, 0) for slot, path in enumerate(self.layout.paths)]
        required = [self._required(one, readers) for one in content.conditions]
        uses = Counter(rule.condition for rule in content.rules)
        rows = [self._row(rule, nodes, required, uses) for rule in content.rules]
        roles = {company: frozenset(names) for company, names in content.roles.items()}
        overridden, derived = frozenset(content.overridden), frozenset(content.derived)
        declared = Declared(roles, content.typed, content.actions, overridden, derived)
        parts = (self.layout.paths, content.registers, declared, Origins({}, self.env))
        return assemble(rows, *parts, self.limits)

    def _check_functions(self) -> None:
        for function, count in self.content.functions:
            known = function in OPERATORS or (function, count) in self.env.implementations
            if not known:
                raise _Bad("calls a function that there is not: it is of another version")

    def _check_ids(self) -> None:
        owners: dict[str, set[str]] = {}
        for rule in self.content.rules:
            known = owners.setdefault(rule.id, set())
            if known and (rule.company in known or "" in known or not rule.company):
                raise _Bad("has a policy twice")
            known.add(rule.company)

    def _check_tree(self, tree: msgspec.Raw) -> None:
        try:
            node = bundle_trees.decode(tree)
            if len(tree) >= self.limits.expression_depth * LEVEL_BYTES:
                bundle_trees.Reader(self.limits.expression_depth).checked(node)
        except (*UNDECODABLE, bundle_trees.TooDeep) as error:
            raise _Bad("has a condition that is no expression") from error

    def _required(self, one: Condition, readers: list[Attribute]) -> tuple[Required, ...]:
        found = []
        for slot, texts in one.required:
            if slot >= len(readers) or len(texts) > MOST_TEXTS:
                raise _Bad("has a condition that requires what cannot be")
            found.append(Required(readers[slot], texts))
        return tuple(found)

    def _row(
        self,
        rule: Rule,
        nodes: list[Deferred],
        required: list[tuple[Required, ...]],
        uses: Counter[int],
    ) -> RuleRow:
        number = rule.condition
        if number >= len(nodes):
            raise _Bad("has a policy whose condition is not there")
        patterns = self._patterns(rule)
        about = (rule.id, rule.company, rule.deny, patterns)
        if number < 0:
            return make_row(*about, None, -1, "", ())
        shared = number if uses[number] > 1 else -1
        text = self.content.conditions[number].text
        return make_row(*about, nodes[number], shared, text, required[number])

    def _patterns(self, rule: Rule) -> Patterns:
        found = (rule.actions, rule.resources, rule.roles)
        known = self.patterns.get(found)
        if known is None:
            self._check_patterns(*found)
            known = self.patterns[found] = found
        return known

    def _check_patterns(self, actions: Texts, resources: Texts, roles: Texts) -> None:
        targets = len(actions) * len(resources) * max(1, len(roles))
        if targets > self.limits.policy_targets:
            raise _Bad("has a policy that is too wide")
        for patterns, separator in (
            (actions, ACTION_SEPARATOR),
            (resources, RESOURCE_SEPARATOR),
        ):
            if any(pattern_error(pattern, separator) for pattern in patterns):
                raise _Bad("has a pattern that is none")


class _Planner:
    """Plans conditions of a bundle when they are needed."""

    def __init__(self, env: Env, layout: Layout, limits: Limits) -> None:
        self.parts = (env.declarations, env.implementations, layout, limits)
        self.depth = limits.expression_depth

    def __call__(self, tree: bytes) -> Node:
        try:
            checked = bundle_trees.Reader(self.depth).checked(bundle_trees.decode(tree))
            return plan(checked, *self.parts)
        except Exception:  # a tree that no checker has seen: it may mean anything, or nothing
            return Constant(Fault("unreadable", ("condition",)), 0)
