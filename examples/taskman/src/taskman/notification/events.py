"""What is told on `notification.events`: email.sent, email.failed, webhook.sent, webhook.failed,
push.sent, push.failed, with which notification and for whom, but not what it says."""

from __future__ import annotations

from typing import Any

from taskman_authz.messaging import Event, Queue

from .letters import Letter

EXCHANGE = "notification.events"
HEARD = Queue(
    "notification.reactions",
    {
        "user.events": ("user.created",),
        "auth.events": ("auth.password.reset",),
        "task.events": ("task.assigned", "task.completed"),
    },
)


def ended(letter: Letter) -> Event:
    """A notification was sent, or is given up."""
    data: dict[str, Any] = {"notification_id": letter.id, "user_id": letter.user_id}
    data |= {"subject": letter.subject, "attempts": letter.attempts, "error": letter.error}
    return Event(type=f"{letter.type}.{letter.status}", company_id=letter.company_id, data=data)
