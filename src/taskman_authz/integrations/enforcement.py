"""What the guards of all frameworks share: from a check to a refusal, or none.

Laws: only a `Decision` that allows lets a call through; whatever else comes of asking, an exception
or a value that is no decision, is a refusal. A refusal says nothing of why: what went wrong goes to
the log `taskman_authz.integrations`, without the values of attributes.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import string
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import date
from enum import Enum
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar
from uuid import UUID

from ..decision import Decision
from ..errors import ArgumentError, RequestError
from ..pdp import PDP
from ..request import Entity

log = logging.getLogger("taskman_authz.integrations")

_MARK = "__taskman_authz__"
T = TypeVar("T")


class DecisionPoint(Protocol):
    """What a guard asks: a `PDP`, a `Client`; an `AsyncClient`, whose `check` is awaited."""

    def check(
        self,
        subject: Any,
        action: Any,
        resource: Any,
        context: Any = None,
        *,
        company_id: str | None = None,
    ) -> Any:
        """May `subject` do `action` on `resource`?"""


class Refusal(Enum):
    """Why a call does not run: an HTTP status (RFC 9110, section 15) and the text of the answer."""

    UNAUTHENTICATED = 401, "authentication required"
    FORBIDDEN = 403, "forbidden"
    UNAVAILABLE = 503, "authorization unavailable"

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.value[0]

    @property
    def text(self) -> str:
        """What the caller is told."""
        return self.value[1]


class Template:
    """The resource of a route: `tasks/{id}`, whose names are the route's parameters.

    Laws: the kind is written out. A value is a text, an int, a UUID or a date, not empty, and holds
    no `/` unless it stands at the end: no caller moves what is behind it. Raises ArgumentError.
    """

    def __init__(self, text: str) -> None:
        kind, slash, rest = text.partition("/")
        if not kind or not slash or not rest or {"{", "}"} & set(kind):
            raise ArgumentError("resource", "`kind/id` with the kind written out", f"`{text}`")
        self.text = text
        self._kind = kind
        try:
            self._parts = list(string.Formatter().parse(rest))
        except ValueError as error:
            raise ArgumentError("resource", "a template", f"`{text}` ({error})") from None
        for _, name, form, conversion in self._parts:
            if name is not None and (form or conversion or not name.isidentifier()):
                raise ArgumentError("resource", "`{name}` only", f"`{text}`")

    def fill(self, look_up: Callable[[str], Any]) -> Entity:
        """The resource, with what `look_up` gives for each name. Raises RequestError."""
        id = ""
        for place, (literal, name, _, _) in enumerate(self._parts, 1):
            id += literal
            if name is not None:
                id += _segment(name, look_up, place == len(self._parts))
        return Entity(self._kind, id)

    def __str__(self) -> str:
        return self.text


def _segment(name: str, look_up: Callable[[str], Any], is_last: bool) -> str:
    try:
        value = look_up(name)
    except (KeyError, AttributeError):
        raise RequestError("resource", f"there is no parameter `{name}`") from None
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool) or not isinstance(value, (str, int, UUID, date)):
        found = type(value).__name__
        raise RequestError("resource", f"`{name}`: expected a text or a number, found `{found}`")
    text = str(value)
    if not text or ("/" in text and not is_last):
        raise RequestError("resource", f"`{name}`: expected a name without `/`")
    return text


class Check(NamedTuple):
    """What a route asks: an action, and a resource as a template or as what makes one."""

    action: str
    resource: Template | Callable[..., Any]

    @classmethod
    def of(cls, action: Any, resource: Any) -> Check:
        """Raises ArgumentError."""
        if not isinstance(action, str) or not action:
            raise ArgumentError.of("action", "a name such as `tasks:edit`", action)
        if isinstance(resource, str):
            return cls(action, Template(resource))
        if not callable(resource):
            raise ArgumentError.of("resource", "`kind/id` or what makes a resource", resource)
        return cls(action, resource)

    def reader(self, parameters: Mapping[str, Any], *given: Any) -> Callable[[], Any]:
        """What gives the resource: the template filled with the parameters, or what is called with
        `given` and the parameters."""
        if isinstance(self.resource, Template):
            return partial(self.resource.fill, parameters.__getitem__)
        return partial(self.resource, *given, **parameters)

    def __str__(self) -> str:
        if isinstance(self.resource, Template):
            return f"{self.action} on {self.resource}"
        return f"{self.action} on {getattr(self.resource, '__name__', 'a resource')}()"


class Question(NamedTuple):
    """What `check` is asked."""

    subject: Any
    action: str
    resource: Any = None
    context: Any = None
    company_id: str | None = None


class Readers:
    """What reads a question of a call: each is called with what the framework has of it, `context`
    and `company_id` where they are given. Raises ArgumentError."""

    def __init__(
        self,
        subject: Callable[..., Any],
        context: Callable[..., Any] | None,
        company_id: Callable[..., Any] | None,
    ) -> None:
        for name, read in (("subject", subject), ("context", context), ("company_id", company_id)):
            if not callable(read) and (read is not None or name == "subject"):
                raise ArgumentError.of(name, "a function", read)
        self._subject = subject
        self._others = [read or _nothing for read in (context, company_id)]

    def read(self, action: str, resource: Callable[[], Any], *given: Any) -> Question:
        """The question. Without a subject the rest is not read: that a resource is not there is
        nothing to tell to strangers."""
        subject = self._subject(*given)
        if subject is None:
            return Question(None, action)
        found = resource()
        return Question(subject, action, found, *(read(*given) for read in self._others))

    async def read_async(self, action: str, resource: Callable[[], Any], *given: Any) -> Question:
        """The question, where what the readers give may be awaitable."""
        subject = await _awaited(self._subject(*given))
        if subject is None:
            return Question(None, action)
        found = await _awaited(resource())
        others = [await _awaited(read(*given)) for read in self._others]
        return Question(subject, action, found, *others)


class Enforcement:
    """Asks `pdp`. `own` are exceptions of the framework, which it answers itself. Raises
    ArgumentError for what cannot be asked, and for an `AsyncClient` where `sync` is set."""

    def __init__(
        self,
        pdp: DecisionPoint,
        own: tuple[type[BaseException], ...] = (),
        *,
        sync: bool = False,
    ) -> None:
        if not callable(getattr(pdp, "check", None)):
            raise ArgumentError.of("pdp", "a PDP, a Client or an AsyncClient", pdp)
        awaited = inspect.iscoroutinefunction(pdp.check)
        if sync and awaited:
            raise ArgumentError.of("pdp", "a PDP or a Client here", pdp)
        self._blocks = not awaited and not isinstance(pdp, PDP)
        self._pdp = pdp
        self._own = own

    def ask(self, question: Question) -> Decision:
        """The decision. Raises what `check` raises, and ArgumentError for any other answer, which
        may be true: a coroutine that nobody awaited."""
        return _decision(self._pdp.check(*question[:4], company_id=question.company_id))

    async def ask_async(self, question: Question) -> Decision:
        """`ask` in an event loop, which a check over the network does not hold up."""
        check = partial(self._pdp.check, *question[:4], company_id=question.company_id)
        if self._blocks:
            return _decision(await asyncio.to_thread(check))
        return _decision(await _awaited(check()))

    def refusal(self, read: Callable[[], Question]) -> Refusal | None:
        """None where the call may run. `read` gives the question."""
        try:
            question = read()
            return Refusal.UNAUTHENTICATED if question.subject is None else _of(self.ask(question))
        except self._own:
            raise
        except Exception as error:
            return _failed(error)

    async def refusal_async(self, read: Callable[[], Awaitable[Question]]) -> Refusal | None:
        """`refusal` in an event loop."""
        try:
            question = await read()
            if question.subject is None:
                return Refusal.UNAUTHENTICATED
            return _of(await self.ask_async(question))
        except self._own:
            raise
        except Exception as error:
            return _failed(error)


def _nothing(*_: object) -> None:
    return None


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def _of(decision: Decision) -> Refusal | None:
    return None if decision.allowed else Refusal.FORBIDDEN


def _decision(answer: Any) -> Decision:
    if not isinstance(answer, Decision):
        raise ArgumentError.of("pdp", "a decision of its `check`", answer)
    return answer


def _failed(error: Exception) -> Refusal:
    if isinstance(error, RequestError):
        log.warning("a question cannot be asked: %s", error)
        return Refusal.FORBIDDEN
    log.error("no decision", exc_info=error)
    return Refusal.UNAVAILABLE


def mark(target: T, check: Check | None) -> T:
    """Say on a route's function that it asks `check` itself; None: that it is public."""
    setattr(target, _MARK, check)
    return target


def public(target: T) -> T:
    """A route that needs no check, and says so: `@public`. Raises ArgumentError."""
    try:
        return mark(target, None)
    except AttributeError:
        raise ArgumentError.of("target", "a function or an object", target) from None


def is_marked(target: Any) -> bool:
    """Whether a route's function asks a check, or is public."""
    # Its own: who inherits from a public class is not public.
    return _MARK in getattr(target, "__dict__", ())


def check_of(target: Any) -> Check | None:
    """The check that a route's function asks."""
    found: Check | None = getattr(target, "__dict__", {}).get(_MARK)
    return found


class Route(NamedTuple):
    """A route of an app: `check` says what it asks, None where no check guards it."""

    path: str
    methods: tuple[str, ...]  # empty: any
    endpoint: str  # the name of what answers
    check: str | None
    is_public: bool

    @classmethod
    def of(cls, path: str, methods: Iterable[str], name: str, *targets: Any) -> Route:
        """The route at `path`, by what is marked among the things that answer."""
        marked = [target for target in targets if is_marked(target)]
        checks = [str(check) for target in marked if (check := check_of(target))]
        asked = ", ".join(checks) or None
        return cls(path, tuple(sorted(methods)), name, asked, bool(marked) and not checks)


def names_of(public: str | Iterable[str]) -> frozenset[str]:
    """Names of what is public; a text is one, and not the letters in it."""
    return frozenset([public] if isinstance(public, str) else public)


def name_of(target: Any) -> str:
    """Where a function or class is defined: `tasks.views.edit`."""
    target = inspect.unwrap(target)
    if not hasattr(target, "__qualname__"):
        target = type(target)
    return f"{target.__module__}.{target.__qualname__}"
