"""What goes with a call beside the question: the request's id, the caller's trace, a token.

Laws: every call has an `x-request-id`, and an error names it, so that it is found in the log of
the decision point. A token never leaves without TLS, but for a unix socket; `channel` sees to it.
A trace goes on as W3C Trace Context, where OpenTelemetry's API is installed (extra `[telemetry]`)
and a span is active.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any

from ..errors import ArgumentError, RequestError, UnavailableError
from ..limits import Limits

try:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ModuleNotFoundError:
    _inject: Callable[[dict[str, str]], Any] | None = None
else:
    _inject = TraceContextTextMapPropagator().inject

Token = str | Callable[[], str]
Metadata = tuple[tuple[str, str], ...]

_VISIBLE = re.compile(r"[!-~]+")  # what a header can carry, without spaces at its ends


def check_token(token: Token | None) -> Token | None:
    """The token, if it can be sent. Raises ArgumentError, which does not show it."""
    if token is not None and not callable(token) and not _is_visible(token):
        raise ArgumentError("token", "visible ASCII characters, or a function", "something else")
    return token


def request_id_of(given: Any, limits: Limits) -> str:
    """The caller's id of a request, or one made up. Raises RequestError."""
    if given is None:
        return secrets.token_hex(8)
    if not _is_visible(given) or len(given) > limits.name_length:
        expected = f"expected up to {limits.name_length} visible ASCII characters"
        raise RequestError("request_id", expected)
    return str(given)


def check_revision(given: Any) -> int | None:
    """The revision that a caller asks for at least. Raises RequestError."""
    if given is not None and (type(given) is not int or not 0 <= given < 2**63):
        raise RequestError("min_revision", "expected the number of a revision")
    number: int | None = given
    return number


def metadata_of(request_id: str, token: Token | None, min_revision: int | None = None) -> Metadata:
    """The headers of a call. Raises UnavailableError where no token can be had."""
    carrier = {"x-request-id": request_id}
    if min_revision is not None:
        carrier["min-revision"] = str(min_revision)
    if _inject is not None:
        _inject(carrier)
    if token is not None:
        carrier["authorization"] = f"Bearer {_have(token)}"
    return tuple(carrier.items())


def _have(token: Token) -> str:
    if isinstance(token, str):
        return token
    try:
        made = token()
    except Exception as error:  # the caller's own code
        raise UnavailableError(
            f"no token: the function failed with {type(error).__name__}"
        ) from error
    if not _is_visible(made):
        raise UnavailableError("no token: the function gave no visible ASCII characters")
    return made


def _is_visible(value: Any) -> bool:
    return isinstance(value, str) and _VISIBLE.fullmatch(value) is not None
