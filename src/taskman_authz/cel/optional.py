"""Optional values as Python sees them: a value that may be there or not."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from .._fast.values import OptionalValue
from ..errors import EvaluationError
from .messages import no_value

Value = TypeVar("Value")
Other = TypeVar("Other")


class Optional(OptionalValue, Generic[Value]):
    """What an expression gives for an optional value, and what may be passed for one.

    True where it has a value, whatever that is: `Optional.of(0)` is. Equal to another with an equal
    value, or to another without one; never to the value itself.
    """

    __slots__ = ()

    @classmethod
    def of(cls, value: Value) -> Optional[Value]:
        """An optional that has a value, None too."""
        return cls(True, value)

    @classmethod
    def none(cls) -> Optional[Any]:
        """An optional that has none."""
        return cls(False, None)

    @property
    def has_value(self) -> bool:
        return self.present

    @property
    def value(self) -> Value:
        """The value. Raises EvaluationError (`no_value`) where there is none."""
        if not self.present:
            raise EvaluationError("no_value", no_value())
        found: Value = self.content
        return found

    def or_else(self, default: Other) -> Value | Other:
        """The value, or `default` where there is none."""
        return self.content if self.present else default

    def __bool__(self) -> bool:
        return self.present

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Optional):
            return NotImplemented
        return self.present == other.present and bool(self.content == other.content)

    def __hash__(self) -> int:
        return hash((Optional, self.present, self.content))

    def __repr__(self) -> str:
        return f"Optional.of({self.content!r})" if self.present else "Optional.none()"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.present, self.content)
