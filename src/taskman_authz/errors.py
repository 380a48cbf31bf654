"""Every exception that a door of taskman_authz raises.

Law: wrong *inside* an evaluation is a value (`_fast.values.Fault`); wrong at a *door* is one of
these. A caller who catches `AuthzError` has caught everything of ours. (A core that cannot run here
is an ImportError, as of any package that cannot be imported.)
"""

from __future__ import annotations

from typing import Any

from .decision import Decision
from .issues import Issue, Issues, Place


class AuthzError(Exception):
    """The base of every exception of this package."""


class ArgumentError(AuthzError, TypeError):
    """A program passed what a door does not take: `argument` names it, the text says what was
    expected and what was found (its type, where it may be a secret)."""

    def __init__(self, argument: str, expected: str, found: str) -> None:
        super().__init__(f"{argument}: expected {expected}, found {found}")
        self.argument = argument

    @classmethod
    def of(cls, argument: str, expected: str, value: Any) -> ArgumentError:
        """The error for a value of a wrong type, of which only the type is told."""
        found = "nothing" if value is None else f"a value of type `{type(value).__name__}`"
        return cls(argument, expected, found)


def require(argument: str, value: Any, kind: type | tuple[type, ...], expected: str) -> None:
    """Raises ArgumentError for a value that is not of this kind."""
    if not isinstance(value, kind):
        raise ArgumentError.of(argument, expected, value)


class CompileError(AuthzError):
    """An expression, or one or more policy documents, do not compile.

    `issues` holds all that is wrong, not the first only. Nothing was installed or written.
    """

    def __init__(self, issues: Issues) -> None:
        super().__init__(issues.render())
        self.issues = issues


class EvaluationError(AuthzError):
    """An expression was evaluated and its value is an error.

    `code` is stable (for example `no_such_key`, `overflow`); `position` is the offset in code
    points into the expression of the part that failed, or -1; `place` has its line and column.
    """

    def __init__(
        self, code: str, message: str, position: int = -1, place: Place | None = None
    ) -> None:
        super().__init__(message if place is None else Issue(place, code, message).render())
        self.code = code
        self.message = message
        self.position = position
        self.place = place


class RequestError(AuthzError):
    """A question that cannot be asked: `field` names the place, the text what was expected.

    The text never contains the value that was found, only its type: a value may be a secret.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class DeniedError(AuthzError):
    """What a guarded function raises instead of running: `decision` says why."""

    def __init__(self, decision: Decision) -> None:
        super().__init__("; ".join(str(reason) for reason in decision.reasons) or "denied")
        self.decision = decision


class StoreError(AuthzError):
    """Policies cannot be read from where they should rest (missing, unreadable, empty), or
    decisions not be written to theirs."""


class ConflictError(AuthzError):
    """What was to be written was made for another state than there is: something changed since
    `expected_revision`, or a name is taken. Nothing was written; `revision` is the current one."""

    def __init__(self, message: str, revision: int) -> None:
        super().__init__(message)
        self.revision = revision


class AlreadyExistsError(ConflictError):
    """There is something of this name already."""


class NotFoundError(AuthzError):
    """There is no such policy, role, document or revision; or none that this caller may see."""


class UnavailableError(AuthzError):
    """The decision point did not answer in time, or not at all. Treat as a deny."""


class UnauthorizedError(UnavailableError):
    """The decision point answered, and not to this caller: its token or certificate is missing or
    wrong, or it may not call this method. To ask again is no use; treat as a deny."""
