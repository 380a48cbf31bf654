"""What the checker concludes about types that are not written down: of calls of functions with
type parameters, of empty literals, of literals with elements of many types.
"""

from __future__ import annotations

from collections.abc import Sequence

from .decls import Overload
from .types import DYN, Kind, Type, is_dyn, type_param
from .unification import Substitution, assignable, most_general


class Inference(Substitution):
    """The type parameters of one expression, and what is known about them."""

    __slots__ = ("parameters",)

    def __init__(self) -> None:
        super().__init__()
        self.parameters = 0  # made so far

    def new_parameter(self) -> Type:
        """A type parameter that no other type of this expression has."""
        self.parameters += 1
        return type_param(f"_{self.parameters}")

    def match(self, overload: Overload, given: tuple[Type, ...], generic: bool) -> Type | None:
        """The result of an overload given these arguments; None if it does not take them."""
        if not overload.generic:
            if not generic:
                takes = all(map(assignable, given, overload.arguments))
            else:
                takes = self.all_assignable(given, overload.arguments)
            return overload.result if takes else None
        if not generic:
            # The overload's own parameters serve: none of them can occur in the arguments.
            own = Substitution()
            if not own.all_assignable(given, overload.arguments):
                return None
            return self.renamed(own.resolve(overload.result), Substitution())
        names = Substitution()
        arguments = [self.renamed(argument, names) for argument in overload.arguments]
        if not self.all_assignable(given, arguments):
            return None
        return self.resolve(self.renamed(overload.result, names))

    def renamed(self, type: Type, names: Substitution) -> Type:
        """`type` with parameters of this expression for its own; `names` says which for which."""
        for parameter in parameters_of(type):
            if parameter not in names.bound:
                names.bound[parameter] = self.new_parameter()
        return names.resolve(type)


class Members:
    """The common type of the elements of a literal: dyn where they do not go together."""

    __slots__ = ("before", "inference", "type")

    def __init__(self, inference: Inference) -> None:
        self.inference = inference
        self.type: Type | None = None
        self.before: dict[Type, Type] | None = None

    def add(self, found: Type) -> None:
        """One more element."""
        if self.type is None or self.type is found:
            self.type = found
            return
        if self.before is None and (self.type.generic or found.generic):
            self.before = self.inference.bound.copy()
        if self.inference.assignable(self.type, found):
            self.type = most_general(self.type, found)
        else:
            self.type = DYN

    def joined(self) -> Type:
        """The type of all; of none, a new parameter: it may become any."""
        if self.type is None:
            return self.inference.new_parameter()
        if self.before is not None and is_dyn(self.type):
            # What the elements said about each other's parameters was said in vain.
            self.inference.bound = self.before
        return self.type


def parameters_of(type: Type) -> list[Type]:
    """The type parameters in `type`, from left to right."""
    if type.kind is Kind.PARAM:
        return [type]
    return [found for inner in type.parameters if inner.generic for found in parameters_of(inner)]


def nearest(overloads: Sequence[Overload], given: Sequence[Type], member: bool) -> list[Overload]:
    """Those of the call's style, if there are, and of them those that take most arguments."""

    def taken(overload: Overload) -> int:
        pairs = zip(given, overload.arguments, strict=False)
        return sum(Substitution().assignable(one, wanted) for one, wanted in pairs)

    alike = [one for one in overloads if one.member is member] or list(overloads)
    most = max(map(taken, alike), default=0)
    return [one for one in alike if taken(one) == most]
