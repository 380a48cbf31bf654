"""What an environment declares: variables, functions with their overloads, and types with fields.

`Declarations` is what the checker asks; it never changes, so any number of threads may check with
one. It remembers how names and calls were resolved: policies are many and ask the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from ..errors import CompileError
from ..issues import Issue, Issues, Place
from ..limits import DEFAULT
from .containers import ROOT, Container
from .notation import parse_signature
from .types import DYN, Kind, Type, type_of

Found = TypeVar("Found")

REMEMBERED = DEFAULT.checker_memory


class VariableDecl(msgspec.Struct, frozen=True):
    """A name and its type; with a `value`, a constant (an enum's member)."""

    name: str
    type: Type
    value: object = None


class Overload(msgspec.Struct, frozen=True):
    """One signature of a function. With `member`, the first argument is the target of the call."""

    id: str
    arguments: tuple[Type, ...]
    result: Type
    member: bool = False

    @property
    def generic(self) -> bool:
        """Whether a type parameter occurs in it."""
        return self.result.generic or any(argument.generic for argument in self.arguments)

    def __str__(self) -> str:
        arguments = [str(argument) for argument in self.arguments]
        target = f"{arguments.pop(0)}." if self.member else ""
        return f"{target}({', '.join(arguments)}) -> {self.result}"


class FunctionDecl(msgspec.Struct, frozen=True):
    """A function's name and its overloads."""

    name: str
    overloads: tuple[Overload, ...]


class Reference(msgspec.Struct, frozen=True):
    """What a name or a call in an expression stands for.

    Of an identifier: the full `name` of the variable (with a leading dot where a comprehension's
    variable would otherwise hide it), and the `value` if it is a constant. Of a call: the full
    name of the function and the ids of the overloads that it may come to. With `namespaced` the
    call's target is no argument but the first part of the function's name.
    """

    name: str
    overloads: tuple[str, ...] = ()
    value: object = None
    namespaced: bool = False


class FieldEntry(msgspec.Struct, frozen=True):
    """A field that a message literal writes, `name: value` or with `optional` `?name: value`."""

    name: str
    optional: bool
    position: int


class TypeProvider(Protocol):
    """Where types come from that are declared elsewhere: messages and enums."""

    def find_type(self, name: str) -> Type | None:
        """The type of this full name."""

    def find_field(self, type_name: str, field: str) -> Type | None:
        """The type of a field of the type of this full name."""

    def field_names(self, type_name: str) -> Iterable[str]:
        """The fields of the type of this full name, to suggest one of."""

    def type_names(self) -> Iterable[str]:
        """The full names of the types, to suggest one of."""

    def find_constant(self, name: str) -> VariableDecl | None:
        """The constant of this full name: an enum's member."""

    def construction(
        self, type_name: str, entries: Sequence[FieldEntry]
    ) -> Callable[..., Any] | None:
        """What makes the value of a literal of this type of the values of its entries, or gives
        a Fault; None if there is no such type."""


class NoTypes:
    """The provider of an environment that declares all its types itself."""

    def find_type(self, name: str) -> Type | None:
        return None

    def find_field(self, type_name: str, field: str) -> Type | None:
        return None

    def field_names(self, type_name: str) -> Iterable[str]:
        return ()

    def type_names(self) -> Iterable[str]:
        return ()

    def find_constant(self, name: str) -> VariableDecl | None:
        return None

    def construction(
        self, type_name: str, entries: Sequence[FieldEntry]
    ) -> Callable[..., Any] | None:
        return None


def overload(id: str, signature: str) -> Overload:
    """An overload from its signature: `overload("starts_with_string", "string.(string) -> bool")`.

    Raises CompileError if the signature is not one.
    """
    parsed = parse_signature(signature)
    return Overload(id, parsed.arguments, parsed.result, parsed.member)


def functions_of(table: str) -> tuple[FunctionDecl, ...]:
    """Functions from a table of lines `function  overload_id  signature`."""
    overloads: dict[str, list[Overload]] = {}
    for line in table.splitlines():
        if line.strip():
            name, id, signature = line.split(None, 2)
            overloads.setdefault(name, []).append(overload(id, signature))
    return tuple(FunctionDecl(name, tuple(found)) for name, found in overloads.items())


class Resolution(msgspec.Struct, frozen=True):
    """What a call comes to."""

    type: Type
    reference: Reference


# How a call is written: f(x), x.f(), and a.b.f(x) where a.b belongs to the function's name.
GLOBAL, MEMBER, NAMESPACED = range(3)


class Function:
    """A declared function as the checker uses it: its overloads by style and number of
    arguments, and for each way to call it the resolutions found for types of arguments."""

    __slots__ = ("_shapes", "name", "overloads", "resolutions")

    def __init__(self, declared: FunctionDecl) -> None:
        self.name = declared.name
        self.overloads = declared.overloads
        self.resolutions: tuple[dict[tuple[Type, ...], Resolution], ...] = ({}, {}, {})
        self._shapes: dict[tuple[bool, int], tuple[Overload, ...]] = {}
        for one in declared.overloads:
            shape = one.member, len(one.arguments)
            self._shapes[shape] = (*self._shapes.get(shape, ()), one)

    def overloads_of(self, member: bool, arguments: int) -> tuple[Overload, ...]:
        """The overloads of this style that take so many arguments, a target counted."""
        return self._shapes.get((member, arguments), ())

    def remember(self, style: int, given: tuple[Type, ...], resolution: Resolution) -> None:
        """Keep the resolution of a call without type parameters."""
        resolutions = self.resolutions[style]
        if len(resolutions) >= REMEMBERED:
            resolutions.clear()
        resolutions[given] = resolution


class Declared(msgspec.Struct, frozen=True):
    """A variable as the checker uses it."""

    type: Type
    reference: Reference

    @classmethod
    def of(cls, variable: VariableDecl) -> Declared:
        return cls(variable.type, Reference(variable.name, value=variable.value))


class Declarations:
    """Everything that an expression may refer to."""

    def __init__(
        self,
        variables: Iterable[VariableDecl] = (),
        functions: Iterable[FunctionDecl] = (),
        container: Container = ROOT,
        provider: TypeProvider | None = None,
        *,
        base: Declarations | None = None,
    ) -> None:
        added = {variable.name: variable for variable in variables}
        self.container = container
        self.provider: TypeProvider = provider or NoTypes()
        self.variables: dict[str, VariableDecl] = {**(base.variables if base else {}), **added}
        self.functions: dict[str, Function] = _merged(base.functions if base else {}, functions)
        self.objects: dict[str, Type] = {**(base.objects if base else {}), **_objects(added)}
        self.generic: bool = any(variable.type.generic for variable in self.variables.values())
        # Only what begins with one of these can be a name with dots in it. None: any may be.
        self.qualified = None if provider else _first_parts(self.variables, container)
        self.namespaces = _first_parts(self.functions, container)
        self._idents: dict[str, Declared | None] = {}
        self._functions: dict[str, Function | None] = {}

    def extended(
        self,
        variables: Iterable[VariableDecl] = (),
        functions: Iterable[FunctionDecl] = (),
        container: Container | None = None,
        provider: TypeProvider | None = None,
    ) -> Declarations:
        """These declarations and more; a variable of the same name is replaced, overloads of a
        function of the same name are added."""
        return Declarations(
            variables,
            functions,
            container or self.container,
            provider or (None if isinstance(self.provider, NoTypes) else self.provider),
            base=self,
        )

    def find_ident(self, name: str) -> Declared | None:
        """The variable, type or constant that `name` (perhaps with dots) stands for here."""
        try:
            return self._idents[name]
        except KeyError:
            return _remember(self._idents, name, self._resolve_ident(name))

    def find_function(self, name: str) -> Function | None:
        """The function that `name` stands for here."""
        try:
            return self._functions[name]
        except KeyError:
            candidates = map(self.functions.get, self.container.candidates(name))
            return _remember(self._functions, name, next(filter(None, candidates), None))

    def find_type(self, name: str) -> tuple[str, Type] | None:
        """The type that `name` stands for in `name{…}`, with its full name."""
        for candidate in self.container.candidates(name):
            found = self.provider.find_type(candidate)
            if found is not None:
                return candidate, found
            variable = self.variables.get(candidate)
            if variable is not None and variable.type.kind is Kind.TYPE:
                return candidate, (*variable.type.parameters, DYN)[0]
        return None

    def find_field(self, type: Type, field: str) -> Type | None:
        """The type of a field of a type with fields."""
        shape = self._shape(type)
        if shape.fields is None:
            return self.provider.find_field(type.name, field)
        return shape.fields.get(field, DYN if shape.open else None)

    def field_names(self, type: Type) -> Iterable[str]:
        """The fields of a type with fields."""
        shape = self._shape(type)
        return self.provider.field_names(type.name) if shape.fields is None else shape.fields

    def type_names(self) -> list[str]:
        """The names of the provider's types as they may be written here, to suggest one of."""
        names = list(self.provider.type_names())
        for prefix in self.container.prefixes:
            names += [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
        return names

    def unknown_names(self, type: Type) -> Iterator[str]:
        """The names in a type that nothing declares: no provider, no variable, no function."""
        named = (Kind.STRUCT, Kind.OPAQUE)
        names = {part.name for part in _parts(type) if part.kind in named and part.fields is None}
        names -= {"optional_type", *self.objects}
        if names:
            names -= self.declared_types()
        return (name for name in sorted(names) if self.provider.find_type(name) is None)

    def declared_types(self) -> set[str]:
        """The names of types of which a variable holds the type, or that a function takes or
        gives."""
        held = (each.type for each in self.variables.values() if each.type.kind is Kind.TYPE)
        found = {part.name for type in held for part in _parts(type)}
        for function in self.functions.values():
            for overload in function.overloads:
                for type in (*overload.arguments, overload.result):
                    found |= {part.name for part in _parts(type)}
        return found

    def _shape(self, type: Type) -> Type:
        """The type that carries the fields, for one that is only named."""
        return self.objects.get(type.name, type) if type.fields is None else type

    def _resolve_ident(self, name: str) -> Declared | None:
        for candidate in self.container.candidates(name):
            variable = self.variables.get(candidate)
            if variable is not None:
                return Declared.of(variable)
            found = self.provider.find_type(candidate)
            if found is not None:
                return Declared(type_of(found), Reference(candidate))
            constant = self.provider.find_constant(candidate)
            if constant is not None:
                return Declared.of(constant)
        return None


def _remember(memory: dict[str, Found], name: str, found: Found) -> Found:
    if len(memory) >= REMEMBERED:
        memory.clear()
    memory[name] = found
    return found


def _merged(
    known: Mapping[str, Function], functions: Iterable[FunctionDecl]
) -> dict[str, Function]:
    """`known` and `functions`, one of a name. What nothing is added to keeps its memory."""
    added: dict[str, list[Overload]] = {}
    for function in functions:
        added.setdefault(function.name, []).extend(function.overloads)
    merged = dict(known)
    for name, overloads in added.items():
        before = known[name].overloads if name in known else ()
        merged[name] = Function(FunctionDecl(name, _once(name, (*before, *overloads))))
    return merged


def _once(function: str, overloads: Iterable[Overload]) -> tuple[Overload, ...]:
    """Overloads, each once. One may be declared twice, but only the same way."""
    known: dict[str, Overload] = {}
    for one in overloads:
        if known.setdefault(one.id, one) != one:
            message = f"overload `{one.id}` of `{function}` is declared twice"
            hint = f"`{known[one.id]}` and `{one}`"
            issue = Issue(Place("<declarations>"), "duplicate_overload", message, hint)
            raise CompileError(Issues((issue,)))
    return tuple(known.values())


def _objects(variables: Mapping[str, VariableDecl]) -> dict[str, Type]:
    """All types that carry their fields, found in types, their parameters and fields."""
    found: dict[str, Type] = {}
    for variable in variables.values():
        for inner in _parts(variable.type):
            if inner.fields is not None:
                found[inner.name] = inner
    return found


def _parts(type: Type) -> Iterable[Type]:
    """A type, its parameters and fields, and theirs; each once, because types may share parts."""
    found: dict[Type, None] = {}
    pending = [type]
    while pending:
        one = pending.pop()
        if one not in found:
            found[one] = None
            pending += (*one.parameters, *(one.fields or {}).values())
    return found


_has_dot = re.compile(r"\.").search


def _first_parts(names: Iterable[str], container: Container) -> frozenset[str]:
    """The first parts of all ways to write one of `names` that has a dot."""
    found = set(container.aliases)
    for name in filter(_has_dot, names):
        for prefix in ("", *container.prefixes):
            first, dot, _ = name.removeprefix(prefix).partition(".")
            if dot and name.startswith(prefix):
                found |= {first, "." + first}
    return frozenset(found)
