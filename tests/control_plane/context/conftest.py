"""Sidecars that know others: their policies, who owns what they ask for, and events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel

from taskman_authz.decision import Decision
from taskman_authz.messaging import Event, Link
from taskman_authz.request import make_request
from taskman_authz.wire import read_decision, write_check
from tests.control_plane.context.owner import Owner
from tests.sidecar.conftest import start, write_policies  # noqa: F401  a fixture
from tests.sidecar.process import PATIENCE, Sidecar

POLICIES = """\
policies:
  - id: own
    effect: allow
    roles: [developer]
    actions: ["tasks:edit"]
    resources: ["tasks/*"]
    condition: resource.owner == subject.login
  - id: locked
    effect: deny
    roles: ["*"]
    actions: ["tasks:edit"]
    resources: ["tasks/*"]
    condition: resource.locked
  - id: view
    effect: allow
    roles: [viewer, developer]
    actions: ["tasks:view"]
    resources: ["tasks/*"]
  - id: in-time
    effect: allow
    roles: [developer]
    actions: ["tasks:finish"]
    resources: ["tasks/*"]
    condition: timestamp(resource.due) > now
"""
ANN = {"type": "user", "id": "1", "roles": ["developer"]}
TASK = {"owner": "ann", "locked": False, "due": "2999-01-01T00:00:00Z"}


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    write_policies(folder, POLICIES)
    return folder


@pytest.fixture
def owner() -> Iterator[Owner]:
    """Knows ann, who is user 1 and a developer of acme, and her task 7."""
    known = Owner()
    known.entities["acme", "user", "1"] = {"login": "ann", "email": "ann@acme"}
    known.entities["acme", "tasks", "7"] = dict(TASK)
    known.roles = [("acme", "user:1", 1, ("developer",))]
    yield known
    known.stop()


def sources(owner: Owner) -> list[str]:
    """The flags that have users and tasks asked for at one address."""
    return [
        *("--attribute-sources", f"subject:user={owner.address}"),
        *("--attribute-sources", f"resource:tasks={owner.address}"),
        *("--attribute-deadline", "5"),
    ]


def check(
    sidecar: Sidecar,
    action: str = "tasks:edit",
    resource: Any = "tasks/7",
    subject: Any = ANN,
    company: str | None = "acme",
    timeout: float = PATIENCE,
) -> Decision:
    """What a sidecar decides."""
    request = make_request(subject, action, resource, company_id=company)
    return read_decision(sidecar.call("Check", write_check(request), timeout))


def codes(decision: Decision) -> list[str]:
    return [reason.code for reason in decision.reasons]


def until(holds: Callable[[], object], otherwise: str) -> None:
    """Look again and again until something holds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, otherwise
        time.sleep(0.01)


def publish(url: str, exchange: str, *events: Event) -> None:
    """Tell events, and wait until the broker has them."""

    async def tell(channel: AbstractChannel) -> None:
        found = await channel.declare_exchange(exchange, aio_pika.ExchangeType.TOPIC, durable=True)
        for event in events:
            message = aio_pika.Message(event.encode(), message_id=event.id)
            await found.publish(message, event.type, mandatory=False)

    asyncio.run(Link(url).once(tell))


def roles_event(version: int, *names: str, subject: str = "user:1") -> Event:
    """That the roles of a subject of acme are these now."""
    data = {
        "company_id": "acme",
        "subject": subject,
        "version": version,
        "roles": [{"name": name, "expires_at": None} for name in names],
    }
    return Event(
        type=f"iam.role.{'assigned' if names else 'revoked'}", company_id="acme", data=data
    )
