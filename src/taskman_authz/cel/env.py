"""An environment: what an expression may refer to. It alone walks the whole road
`text → Source → parser → checker → planner → Program`.

Law: an environment is immutable and shared; compiling in it changes nothing but caches of names.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from types import NoneType
from typing import Any

import msgspec

from .._fast.nodes import Node
from ..errors import ArgumentError, CompileError, require
from ..issues import Issue, Issues, place_at
from ..limits import DEFAULT, Limits
from . import bridge, check_messages, constants, functions, stdlib
from .annotations import annotated_type
from .bridge import is_message_class
from .checker import Checked, check, check_condition
from .constants import ConstantCheck
from .containers import ROOT, Container
from .decls import Declarations, TypeProvider, VariableDecl
from .expression import Expression
from .layout import Layout
from .library import Library
from .macros import STANDARD_MACROS, MacroTable
from .notation import CONSTRUCTORS, NAMES, parse_type
from .observation import Observable
from .parser import Parsed, parse
from .planner import plan, plan_unchecked
from .program import Program
from .schemas import json_schema
from .source import Source
from .types import DYN, STRING, TIMESTAMP, Type

bridge.install()

_NAME = re.compile(r"\.?[_a-zA-Z][_a-zA-Z0-9]*(\.[_a-zA-Z][_a-zA-Z0-9]*)*")

Declarable = str | Type | type | Mapping[str, Any]  # how a variable's type may be given


class Env:
    """An environment of `variables`: names to types, as `Type`, in CEL's notation
    (`"map(string, dyn)"`), as a class that Python or protobuf knows the fields of, or as a JSON
    Schema (`schemas` says what becomes of it). `libraries` are added to the standard library, in
    their order. `container` is the namespace in which names are resolved first.

    `messages` are protobuf messages that expressions may name: modules that protoc generated,
    message classes, descriptors, or a FileDescriptorSet; the well-known types come with them, and
    so do the classes that are variables' types. With `strong_enums` an enum's values have its
    type, else they are ints. (Messages may always be passed as variables.)

    With `strict_constants` a constant that is certain to fail wherever it is evaluated does not
    compile: `matches('(')`, `duration('1x')`, `x / 0`. Without it that is an error of the
    evaluation, as the language defines it, which `||` and `?:` may absorb. Policies are strict.
    """

    def __init__(
        self,
        variables: Mapping[str, Declarable] | None = None,
        *,
        libraries: Iterable[Library] = (),
        container: str = "",
        messages: Iterable[Any] | None = None,
        strong_enums: bool = False,
        strict_constants: bool = False,
        macros: bool = True,
        limits: Limits = DEFAULT,
        declarations: Declarations = stdlib.STANDARD,
        implementations: functions.Implementations = functions.STANDARD,
    ) -> None:
        self._require(variables, container, messages, limits)
        given = (variables or {}).items()
        declared = [VariableDecl(name, declared_type(name, type)) for name, type in given]
        classes = [type for _, type in given if is_message_class(type)]
        added = _libraries(libraries)
        provider: TypeProvider | None = None
        self.make_program: Callable[..., Program] = Program
        if messages is not None or classes or strong_enums:
            # An extra: imported where it is asked for.
            from .protobuf import MessageProgram, MessageTypes, Schema

            schema = Schema((*(messages or ()), *classes), strong_enums)
            provider = types = MessageTypes(schema)
            added += (types.library(),)
            self.make_program = partial(MessageProgram, schema)
        if declared or container or added:
            declarations = declarations.extended(
                (*declared, *(each for library in added for each in library.variables)),
                [each for library in added for each in library.functions],
                Container(container) if container else None,
                provider,
            )
        require_known({name: type for name, type in given if isinstance(type, str)}, declarations)
        self.declarations = declarations
        self.macros = STANDARD_MACROS if macros else MacroTable({})
        for library in added if macros else ():
            self.macros = self.macros | library.macros
        self.constants: dict[str, ConstantCheck] = {}
        if strict_constants:
            self.constants |= constants.STANDARD
            for library in added:
                self.constants |= library.constants
        self.optionals = any(library.optional_syntax for library in added)
        self.limits = limits
        self.implementations = functions.within(limits, implementations)
        for library in added:
            more = functions.within(limits, library.implementations)
            self.implementations = functions.joined(self.implementations, more)

    @staticmethod
    def _require(variables: Any, container: Any, messages: Any, limits: Any) -> None:
        require("variables", variables, (Mapping, NoneType), "a mapping of names to types")
        for name in variables or ():
            if not (isinstance(name, str) and _NAME.fullmatch(name)):
                raise _no_name(name)
        require("container", container, str, "a namespace as a text")
        require("messages", messages, (Iterable, NoneType), "a list of messages")
        require("limits", limits, Limits, "Limits")

    def parse(self, text: str | Source, name: str = "<expression>") -> Parsed:
        """The tree of an expression. Raises CompileError with all issues."""
        if type(text) is not str or type(name) is not str:
            require("text", text, (str, Source), "an expression as a text")
            require("name", name, str, "a text")
        source = text if isinstance(text, Source) else Source(text, name)
        return parse(source, self.macros, self.limits, self.optionals)

    def check(self, text: str | Source, name: str = "<expression>") -> Checked:
        """The checked tree of an expression. Raises CompileError with all issues."""
        return self.check_tree(self.parse(text, name))

    def check_tree(self, parsed: Parsed) -> Checked:
        """The checked tree of a parsed one. Raises CompileError with all issues."""
        if type(parsed) is not Parsed:
            require("parsed", parsed, Parsed, "what `parse` gives")
        checked = check(parsed.expr, parsed.source, self.declarations, self.limits, self.constants)
        if checked.issues:
            raise CompileError(checked.issues)
        return checked

    def compile(
        self, text: str | Source, name: str = "<expression>", *, check: bool = True
    ) -> Program:
        """The program of an expression. Raises CompileError with all issues.

        With `check` false only the syntax is checked; what the rest would have found becomes an
        error of the evaluation.
        """
        return self._program(self.parse(text, name), check, Origin(self, check))

    def program(self, parsed: Parsed, *, check: bool = True) -> Program:
        """The program of a tree that was parsed or read (`cel.protobuf`), which it keeps; as
        `compile` otherwise."""
        require("parsed", parsed, Parsed, "what `parse` gives")
        return self._program(parsed, check, Origin(self, check, parsed))

    def _program(self, parsed: Parsed, check: bool, origin: Origin) -> Program:
        layout = Layout()
        parts = self.declarations, self.implementations, layout, self.limits
        if check:
            checked = self.check_tree(parsed)
            node = plan(checked, *parts, alone=True)
            return self.make_program(node, layout, parsed.source, checked.type, origin)
        node = plan_unchecked(parsed.expr, *parts)
        return self.make_program(node, layout, parsed.source, DYN, origin)

    def at_root(self) -> Env:
        """This environment without its container: where names are full names."""
        found = copy.copy(self)
        found.declarations = self.declarations.extended(container=ROOT)
        return found

    def with_types(self, variables: Mapping[str, Type]) -> Env:
        """This environment with other types of some variables."""
        found = copy.copy(self)
        declared = [VariableDecl(name, type) for name, type in variables.items()]
        found.declarations = self.declarations.extended(declared)
        return found

    def residual(self, text: str) -> Program:
        """The program of what remains of one, whose values have been checked, and may be longer
        than what people write."""
        source = Source(text, "<residual>")
        length = max(self.limits.expression_length, len(text))
        nodes = max(self.limits.expression_nodes, len(text))
        limits = msgspec.structs.replace(
            self.limits, expression_length=length, expression_nodes=nodes
        )
        parsed = parse(source, self.macros, limits, self.optionals)
        return self._program(parsed, False, Origin(self, False))

    def check_condition(self, source: Source) -> Checked:
        """The checked tree of a condition. Raises CompileError with all issues; a condition that
        can never be a bool is one."""
        tree = self.parse(source).expr
        checked = check_condition(tree, source, self.declarations, self.limits, self.constants)
        if checked.issues:
            raise CompileError(checked.issues)
        return checked

    def plan_condition(self, checked: Checked, layout: Layout) -> Node:
        """The node of a checked condition, reading through the layout of its policy set."""
        return plan(checked, self.declarations, self.implementations, layout, self.limits)

    def compile_condition(self, source: Source, layout: Layout) -> Node:
        """The node of a condition. Raises CompileError as `check_condition` does."""
        return self.plan_condition(self.check_condition(source), layout)


class Origin:
    """Where a program is from, and is compiled again by what takes it apart: its environment, and
    its tree if that was not made of its text. A program keeps no other tree."""

    __slots__ = ("checks", "env", "parsed")

    def __init__(self, env: Env, checks: bool, parsed: Parsed | None = None) -> None:
        self.env = env
        self.checks = checks
        self.parsed = parsed

    @property
    def limits(self) -> Limits:
        """The limits of its evaluations."""
        return self.env.limits

    def parse(self, source: Source) -> Parsed:
        """Its tree."""
        return self.parsed or self.env.parse(source)

    def check_tree(self, parsed: Parsed) -> Checked:
        """That tree, checked. Raises CompileError where it was not and does not."""
        return self.env.check_tree(parsed)

    def observable(self, source: Source) -> Observable:
        """The expression as one whose parts can be watched."""
        env, parsed = self.env, self.parse(source)
        checked = env.check_tree(parsed) if self.checks else None
        return Observable(parsed.expr, checked, env.declarations, env.implementations, env.limits)

    def expression(self, source: Source) -> Expression:
        """The expression's trees."""
        env, parsed = self.env, self.parse(source)
        checked = env.check_tree(parsed) if self.checks else None
        return Expression(parsed, checked, env.declarations, env.implementations, env.limits)

    def residual(self, text: str) -> Program:
        """The program of what remains of the expression."""
        return self.env.residual(text)


def declared_type(name: str, given: Declarable) -> Type:
    """The type of a variable. Raises CompileError for a text or a schema that is none."""
    if isinstance(given, str):
        try:
            return parse_type(given)
        except CompileError as error:
            raise CompileError(error.issues.within(f"<type of {name}>")) from None
    if isinstance(given, Mapping):
        return json_schema(given, name)
    if isinstance(given, Type):
        return given
    try:
        return annotated_type(given)
    except CompileError as error:
        raise CompileError(error.issues.within(f"<type of {name}>")) from None


def _no_name(name: Any) -> ArgumentError:
    expected = "names such as `subject` or `shop.order`"
    if isinstance(name, str):
        return ArgumentError("variables", expected, f"`{name}`")
    return ArgumentError.of("variables", expected, name)


def _libraries(given: Any) -> tuple[Library, ...]:
    expected = "a list of libraries such as `ext.STRINGS`"
    if isinstance(given, (str, Library)) or not isinstance(given, Iterable):
        raise ArgumentError.of("libraries", expected, given)
    found = tuple(given)
    for place, each in enumerate(found):
        require(f"libraries[{place}]", each, Library, "a library such as `ext.STRINGS`")
    return found


def require_known(written: Mapping[str, str], declarations: Declarations) -> None:
    """Raises CompileError where a type that is given as text has a name that nothing declares."""
    issues = []
    for variable, text in written.items():
        for name in declarations.unknown_names(parse_type(text)):
            known = [*NAMES, *CONSTRUCTORS, *declarations.objects, *declarations.type_names()]
            known += sorted(declarations.declared_types())
            found = re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.])", text)
            place = place_at(f"<type of {variable}>", text, found.start() if found else 0)
            said = check_messages.unknown_type(name, known)
            issues.append(Issue(place, *said))
    if issues:
        raise CompileError(Issues.of(issues))


# What a policy condition may refer to, in the order of the roots of a decision's activation.
POLICY_VARIABLES: dict[str, Type] = {
    "subject": DYN,
    "resource": DYN,
    "action": DYN,
    "context": DYN,
    "company_id": STRING,
    "now": TIMESTAMP,
}


def policy_libraries() -> tuple[Library, ...]:
    """What a policy condition has besides: `resource.?owner` and `cel.bind`."""
    from .ext import BINDINGS, OPTIONALS  # their room has all the others too: not at every import

    return OPTIONALS, BINDINGS


def policy_env(limits: Limits = DEFAULT) -> Env:
    """The environment of policy conditions: their vocabulary, `contains` on lists, optional values
    and bound names."""
    return Env(
        POLICY_VARIABLES,
        libraries=policy_libraries(),
        strict_constants=True,
        limits=limits,
        declarations=stdlib.POLICY,
        implementations=functions.POLICY,
    )


def policy_layout() -> Layout:
    """An empty layout whose roots are the policy variables."""
    return Layout(POLICY_VARIABLES)


@lru_cache(maxsize=1_000)  # compiling costs some hundred times what a look-up does
def _program(text: str, names: tuple[str, ...]) -> Program:
    return Env(dict.fromkeys(names, DYN)).compile(text)


def evaluate(text: str, variables: Mapping[str, Any] | None = None) -> Any:
    """The value of an expression over variables, whose names are declared as dyn.

    Programs are remembered. Raises CompileError and EvaluationError.
    """
    require("text", text, str, "an expression as a text")
    require("variables", variables, (Mapping, NoneType), "a mapping of names to values")
    values = variables or {}
    return _program(text, tuple(values)).evaluate(values)
