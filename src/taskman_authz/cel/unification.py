"""Which types go together: what may be given where something else is asked for.

`Substitution` finds what the type parameters of a call or of an empty literal stand for. Laws:
the relation is symmetric (a wrapper may stand where its primitive is asked for: that it is not
null shows when it is evaluated); a test that fails leaves no trace; what a parameter stands for
never contains the parameter itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from .types import (
    ANY,
    DYN,
    ERROR,
    NULL,
    Kind,
    Type,
    is_dyn,
    is_nullable,
    list_of,
    map_of,
    opaque_type,
    type_of,
)

_UNCHECKED = frozenset({DYN, ANY, ERROR})


def assignable(given: Type, wanted: Type) -> bool:
    """Whether a value of `given` may stand where `wanted` is asked for; neither is generic."""
    if given is wanted or given in _UNCHECKED or wanted in _UNCHECKED:
        return True
    if given is NULL:
        return is_nullable(wanted)
    if wanted is NULL:
        return is_nullable(given)
    kind = given.kind
    if kind is not wanted.kind:
        return False
    if kind is Kind.TYPE:
        return True
    if given.name != wanted.name or len(given.parameters) != len(wanted.parameters):
        return False
    return all(map(assignable, given.parameters, wanted.parameters))


def most_general(one: Type, other: Type) -> Type:
    """The narrowest type that holds the values of two types that go together: one of them, or of
    `map(dyn, int)` and `map(string, dyn)` what is wider in each place."""
    if is_as_general(one, other):
        return one
    if len(one.parameters) != len(other.parameters) or not one.parameters:
        return other
    return with_parameters(one, tuple(map(most_general, one.parameters, other.parameters)))


def is_as_general(one: Type, other: Type) -> bool:
    """Whether `one` is `other`, or says less: dyn less than any, a nullable less than null, a
    wrapper less than what it wraps."""
    if one is other or is_dyn(one) or one.kind is Kind.PARAM:
        return True
    if is_dyn(other) or other.kind is Kind.PARAM:
        return False
    if other is NULL:
        return is_nullable(one)
    if one.kind is not other.kind:
        return False
    if one.nullable is not other.nullable:
        return one.nullable
    if one.kind is Kind.TYPE:
        return True
    if one.name != other.name or len(one.parameters) != len(other.parameters):
        return False
    return all(map(is_as_general, one.parameters, other.parameters))


class Substitution:
    """What type parameters stand for, as far as it is known."""

    __slots__ = ("bound",)

    def __init__(self) -> None:
        self.bound: dict[Type, Type] = {}

    def assignable(self, given: Type, wanted: Type) -> bool:
        """As the function `assignable`; parameters of both are bound where that makes it true."""
        if not (given.generic or wanted.generic):
            return assignable(given, wanted)
        return self.all_assignable((given,), (wanted,))

    def all_assignable(self, given: Sequence[Type], wanted: Sequence[Type]) -> bool:
        """Whether each of `given` goes with its place in `wanted`, all under one binding."""
        before = self.bound.copy()
        if len(given) == len(wanted) and all(map(self._meet, given, wanted)):
            return True
        self.bound = before
        return False

    def resolve(self, type: Type) -> Type:
        """`type` with the parameters replaced that are bound."""
        if not type.generic:
            return type
        if type.kind is Kind.PARAM:
            meaning = self.bound.get(type)
            if meaning is None:
                return type
            if meaning.generic:
                # Kept, so that a chain of parameters is only followed once.
                self.bound[type] = meaning = self.resolve(meaning)
            return meaning
        return with_parameters(type, tuple(map(self.resolve, type.parameters)))

    def ground(self, type: Type) -> Type:
        """`type` with bound parameters replaced, and dyn for the others."""
        return without_parameters(self.resolve(type)) if type.generic else type

    def _meet(self, given: Type, wanted: Type) -> bool:
        """Bind what makes `given` assignable to `wanted`; on failure `bound` is half changed."""
        if not (given.generic or wanted.generic):
            return assignable(given, wanted)
        if given is wanted:
            return True
        if wanted.kind is Kind.PARAM:
            verdict = self._bind(wanted, given)
            if verdict is not None:
                return verdict
        if given.kind is Kind.PARAM:
            return self._bind(given, wanted) is True
        if given in _UNCHECKED or wanted in _UNCHECKED:
            return True
        if given is NULL or wanted is NULL:
            return is_nullable(given) and is_nullable(wanted)
        if given.kind is not wanted.kind:
            return False
        if given.kind is Kind.TYPE:
            return True
        if given.name != wanted.name or len(given.parameters) != len(wanted.parameters):
            return False
        return all(map(self._meet, given.parameters, wanted.parameters))

    def _bind(self, parameter: Type, other: Type) -> bool | None:
        """Whether `parameter` may stand for `other`; None if it would contain itself."""
        if parameter not in self.bound:
            if self._occurs(parameter, other):
                return None
            self.bound[parameter] = other
            return True
        meaning = self.resolve(parameter)
        if meaning is other:
            return True
        if not self._meet(other, meaning):
            return False
        wider = most_general(other, meaning)
        if not self._occurs(parameter, wider):
            self.bound[parameter] = wider
        return True

    def _occurs(self, parameter: Type, within: Type) -> bool:
        return within.generic and _contains(self.resolve(within), parameter)


def _contains(type: Type, parameter: Type) -> bool:
    if type is parameter:
        return True
    return type.generic and any(_contains(inner, parameter) for inner in type.parameters)


def with_parameters(type: Type, parameters: tuple[Type, ...]) -> Type:
    """`type` with other parameters."""
    if type.kind is Kind.LIST:
        return list_of(parameters[0])
    if type.kind is Kind.MAP:
        return map_of(*parameters)
    if type.kind is Kind.TYPE:
        return type_of(parameters[0])
    return opaque_type(type.name, *parameters)


def without_parameters(type: Type) -> Type:
    """`type` with dyn for each type parameter."""
    if not type.generic:
        return type
    if type.kind is Kind.PARAM:
        return DYN
    return with_parameters(type, tuple(map(without_parameters, type.parameters)))
