"""What is told on `auth.events`: auth.login.success, auth.login.failed, auth.logout,
auth.token.refreshed, auth.password.reset; and auth.factor.confirmed, auth.factor.removed.

`auth.password.reset` is told twice: when a token was asked for (`stage` is `requested`; the data
have the token, which whoever writes events down leaves out) and when a password was set (`done`).
"""

from __future__ import annotations

from typing import Any

from taskman_authz.messaging import Event, Queue

from .domain import Account, Session

EXCHANGE = "auth.events"
USERS = Queue("authentication.users", {"user.events": ("user.deleted", "user.deactivated")})
ROLES = Queue("authentication.roles", {"iam.events": ("iam.role.assigned", "iam.role.revoked")})


def about_session(type: str, session: Session, **more: Any) -> Event:
    """An event about a session."""
    data = {"user_id": session.user_id, "email": session.email, "session_id": session.id}
    data |= {"ip_address": session.ip_address, "user_agent": session.user_agent, **more}
    return Event(
        type=type, company_id=session.company_id, actor=f"user:{session.user_id}", data=data
    )


def failed(email: str, account: Account | None, ip: str) -> Event:
    """Somebody did not get in."""
    data = {"email": email, "ip_address": ip, "user_id": account.user_id if account else None}
    company = account.company_id if account else None
    return Event(type="auth.login.failed", company_id=company, data=data)


def reset(account: Account, stage: str, **more: Any) -> Event:
    """A password is reset: `requested` or `done`."""
    data = {"user_id": account.user_id, "email": account.email, "stage": stage, **more}
    return Event(
        type="auth.password.reset",
        company_id=account.company_id,
        actor=f"user:{account.user_id}",
        data=data,
    )


def factor_removed(company_id: str, user_id: str, actor: str) -> Event:
    """A user signs in with a password alone again."""
    data = {"user_id": user_id}
    return Event(type="auth.factor.removed", company_id=company_id, actor=actor, data=data)
