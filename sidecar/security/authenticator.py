"""Who a caller is, by everything that it proves: its connection, and the token that it shows.

Laws: a token that is shown and is not good refuses the call, whatever the connection proves. What
no token is expected for is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable

from ..door import Call, Caller
from ..status import Code, Refusal

Owner = Callable[[str], "str | None"]
Subject = Callable[[str], str]

LONGEST = 8_192  # characters of a header, as of most HTTP servers


class Authenticator:
    """`owner` knows who was given a token, or that nobody was; `subject` of whom a signed one is,
    and raises Refusal. Either may be missing."""

    def __init__(self, owner: Owner | None, subject: Subject | None) -> None:
        self._owner = owner
        self._subject = subject

    def __call__(self, call: Call) -> None:
        """The guard that gives a call the caller it is of. Raises Refusal."""
        call.caller = self.caller(call.authorization, call.caller.names)

    def caller(self, authorization: str, names: tuple[str, ...] = ()) -> Caller:
        """The caller by the `authorization` header ("": none) and the names that its connection
        proves. Raises Refusal."""
        if not authorization or (self._owner is None and self._subject is None):
            return Caller(names)
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or len(authorization) > LONGEST:
            raise Refusal(Code.UNAUTHENTICATED, "authorization: expected `Bearer` and a token")
        return Caller((self._name(token), *names))

    def _name(self, token: str) -> str:
        owner = self._owner(token) if self._owner is not None else None
        if owner is not None:
            return f"token:{owner}"
        if self._subject is None:
            raise Refusal(Code.UNAUTHENTICATED, "the token is not known")
        return f"jwt:{self._subject(token)}"
