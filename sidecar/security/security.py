"""The security of one sidecar, made of its settings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from taskman_authz.errors import AuthzError

from ..door import Guard
from ..kept import FLOOR, Kept
from ..secrets import Secrets
from .authenticator import Authenticator, Owner, Subject
from .callers import AllowedCallers, require_name
from .listening import Listening, find_group, refuse_plain
from .rates import CallRate
from .tokens import Tokens

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from ..settings import Settings
    from .certificates import Certificates

# Serving: what security is made of is as it is outside. Not serving: something could not be read
# again, or is no longer in force.
SECURITY = "taskman_authz.security"

INTERVAL = 1.0  # seconds between looks at files

TellHealth = Callable[[str, bool], Awaitable[None]]


class Security:
    """What the settings ask for. Raises AuthzError for what cannot be had."""

    def __init__(self, settings: Settings, log: FilteringBoundLogger) -> None:
        self._kept: list[tuple[Kept[Any, Any], float]] = []
        self.certificates = self._certificates(settings, log)
        if self.certificates is None and not settings.insecure:
            refuse_plain(settings.listen)
        group = find_group(settings.unix_socket_group)
        mode = int(settings.unix_socket_mode, 8)
        self.listening = Listening(self.certificates, mode, group)
        self.guards = self._guards(settings, log)

    def problems(self) -> list[str]:
        """What is not as it should be, fit for a log. Empty: nothing."""
        found = [kept.problem for kept, _ in self._kept if kept.problem]
        expires = self.expires()
        if expires is not None and expires <= datetime.now(UTC):
            found.append("the certificate has expired")
        return found

    def expires(self) -> datetime | None:
        """When the certificate in place does. None: there is no TLS."""
        return self.certificates.identity.expires if self.certificates is not None else None

    async def follow(self, tell_health: TellHealth) -> None:
        """Read again what may change, until cancelled; the health of `SECURITY` is told."""
        was_good = not self.problems()
        looked = asyncio.Event()
        tasks = [
            asyncio.create_task(kept.follow(interval, looked.set)) for kept, interval in self._kept
        ]
        try:
            while True:
                await looked.wait()
                looked.clear()
                is_good = not self.problems()
                if is_good != was_good:
                    await tell_health(SECURITY, is_good)
                was_good = is_good
        finally:
            for task in tasks:
                task.cancel()

    def _guards(self, settings: Settings, log: FilteringBoundLogger) -> tuple[Guard, ...]:
        owner, subject = self._owner(settings, log), self._subject(settings, log)
        shows_tokens = owner is not None or subject is not None
        guards: list[Guard] = [Authenticator(owner, subject)] if shows_tokens else []
        if settings.allowed_callers:
            guards.append(AllowedCallers(settings.allowed_callers))
        elif shows_tokens:
            guards.append(require_name)  # or who shows no token would be let in without one
        if settings.rate_limit:
            guards.append(CallRate(settings.rate_limit, settings.rate_burst))
        return tuple(guards)

    def _owner(self, settings: Settings, log: FilteringBoundLogger) -> Owner | None:
        if settings.tokens is None:
            return None
        read = Secrets().source("--tokens", settings.tokens)
        tokens = Kept("tokens", read, Tokens, log)
        self._kept.append((tokens, INTERVAL))
        return lambda token: tokens.value.owner(token) if tokens.value is not None else None

    def _subject(self, settings: Settings, log: FilteringBoundLogger) -> Subject | None:
        issuer, audience = settings.jwt_issuer, settings.jwt_audience
        if settings.jwks is None or not issuer or not audience:
            if settings.jwks is not None or issuer is not None or audience is not None:
                raise AuthzError("JWTs need --jwks, --jwt-issuer and --jwt-audience")
            return None
        from .jwks import is_url, key_source, read_keys
        from .jwts import Jwts

        keys = Kept(
            "public keys of tokens",
            key_source(settings.jwks),
            read_keys,
            log,
            may_lack=is_url(settings.jwks),  # an issuer that is down keeps nobody else waiting
        )
        self._kept.append((keys, settings.jwks_interval))
        jwts = Jwts(
            keys,
            issuer=issuer,
            audience=audience,
            algorithms=settings.jwt_algorithms,
            leeway=settings.jwt_leeway,
            max_age=settings.jwks_max_age,
            floor=min(FLOOR, settings.jwks_interval),
        )
        return jwts.subject

    def _certificates(self, settings: Settings, log: FilteringBoundLogger) -> Certificates | None:
        if settings.tls_cert is None or settings.tls_key is None:
            given = (settings.tls_cert, settings.tls_key, settings.tls_client_ca)
            if any(each is not None for each in given):
                raise AuthzError("TLS needs both --tls-cert and --tls-key")
            return None
        from .certificates import Certificates

        certificates = Certificates(
            settings.tls_cert, settings.tls_key, settings.tls_client_ca, log
        )
        self._kept.append((certificates, INTERVAL))
        return certificates
