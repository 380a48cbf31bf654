"""Sessions and tokens, and what is said of them. Pure but for chance."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from taskman_authz.bindings import HeldRole

from ..chassis.caller import USERS, Caller


class Account(msgspec.Struct, frozen=True):
    """A user, as the user service knows them."""

    user_id: str
    company_id: str
    email: str
    is_active: bool


class Session(msgspec.Struct, frozen=True):
    """Somebody is signed in."""

    id: str
    user_id: str
    company_id: str
    email: str
    refresh_token: str  # its hash
    ip_address: str
    user_agent: str
    expires_at: datetime
    mfa: bool = False  # a code was shown, too

    def caller(self, roles: Sequence[str] = ()) -> Caller:
        """Whoever it is of."""
        who = (self.user_id, self.company_id, tuple(roles), self.id)
        return Caller("user", *who, mfa=self.mfa)


def begin(
    account: Account, ip: str, user_agent: str, now: datetime, seconds: int, mfa: bool
) -> tuple[Session, str]:
    """A session, and its refresh token."""
    id = str(uuid.uuid4())
    token = refresh_token(id)
    who = (account.user_id, account.company_id, account.email)
    ends = now + timedelta(seconds=seconds)
    return Session(id, *who, digest(token), ip, user_agent[:500], ends, mfa), token


def refresh_token(session_id: str) -> str:
    """A new one, of a session."""
    return f"{session_id}.{secrets.token_urlsafe(32)}"


def digest(token: str) -> str:
    """As a token rests. It has 256 bits of chance, so a plain hash will do."""
    return hashlib.sha256(token.encode()).hexdigest()


def claims(
    session: Session, roles: Sequence[HeldRole], now: datetime, seconds: int
) -> dict[str, Any]:
    """What an access token says. It ends with the first of the roles that ends."""
    held = [role for role in roles if role.expires_at is None or role.expires_at > now]
    ends = [now + timedelta(seconds=seconds), session.expires_at]
    ends += [role.expires_at for role in held if role.expires_at is not None]
    return {
        "sub": session.user_id,
        "email": session.email,
        "company_id": session.company_id,
        "roles": [role.name for role in held],
        "iat": int(now.timestamp()),
        "exp": int(min(ends).timestamp()),
        "jti": str(uuid.uuid4()),
        "sid": session.id,
        "amr": ["pwd", "otp", "mfa"] if session.mfa else ["pwd"],  # RFC 8176
        "aud": USERS,
    }
