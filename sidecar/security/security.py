"""The security of one sidecar, made of its settings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from taskman_authz.errors import AuthzError

from ..door import Guard
from ..kept import FLOOR, Kept
from ..secrets import VAULT, Secrets
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

TellHealth = Callable[[str, bool], None]


class Followed(Protocol):
    """What is read again. `problem` says what is wrong with it; empty: nothing."""

    problem: str

    async def follow(self, told: Callable[[], None]) -> None:
        """Until cancelled; `told` is called after each reading."""


class Security:
    """What the settings ask for. Raises AuthzError for what cannot be had."""

    def __init__(self, settings: Settings, log: FilteringBoundLogger) -> None:
        self._secrets = Secrets(settings.secrets_interval, log)
        self._followed: list[Followed] = []
        self.certificates = self._certificates(settings, log)
        if self.certificates is None and not settings.insecure:
            refuse_plain("--listen", settings.listen)
            refuse_plain("--http-listen", settings.http_listen)
        group = find_group(settings.unix_socket_group)
        mode = int(settings.unix_socket_mode, 8)
        self.listening = Listening(self.certificates, mode, group)
        self.guards = self._guards(settings, log)
        if self._secrets.vault is not None:
            self._followed.append(self._secrets.vault)

    def problems(self) -> list[str]:
        """What is not as it should be, fit for a log. Empty: nothing."""
        found = [each.problem for each in self._followed if each.problem]
        expires = self.expires()
        if expires is not None and expires <= datetime.now(UTC):
            found.append("the certificate has expired")
        return found

    def expires(self) -> datetime | None:
        """When the certificate in place does. None: there is no TLS."""
        return self.certificates.identity.expires if self.certificates is not None else None

    def reload(self) -> None:
        """Read again now what may change."""
        for each in self._followed:
            if isinstance(each, Kept):
                each.again(0.0)

    async def follow(self, tell_health: TellHealth) -> None:
        """Read again what may change, until cancelled; the health of `SECURITY` is told."""
        was_good = not self.problems()
        looked = asyncio.Event()
        tasks = [asyncio.create_task(each.follow(looked.set)) for each in self._followed]
        try:
            while True:
                await looked.wait()
                looked.clear()
                is_good = not self.problems()
                if is_good != was_good:
                    tell_health(SECURITY, is_good)
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
        read, interval = self._secrets.source("--tokens", settings.tokens.get_secret_value())
        tokens = Kept("tokens", read, Tokens, log, interval=interval)
        self._followed.append(tokens)
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
            interval=settings.jwks_interval,
            may_lack=is_url(settings.jwks),  # an issuer that is down keeps nobody else waiting
        )
        self._followed.append(keys)
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
        from .certificates import Certificates, warn_of_readers

        file, ca = self._secrets.file, settings.tls_client_ca
        if settings.tls_key.startswith(VAULT):
            key = self._secrets.source("--tls-key", settings.tls_key)
        else:
            key = file("--tls-key", Path(settings.tls_key))
        certificates = Certificates(
            file("--tls-cert", settings.tls_cert),
            key,
            file("--tls-client-ca", ca) if ca is not None else None,
            log,
        )
        if not settings.tls_key.startswith(VAULT):
            warn_of_readers(Path(settings.tls_key), log)
        self._followed.append(certificates)
        return certificates
