"""What a change ends: what is remembered of whom it names, in their company; all of it where nobody
can tell whom it names."""

from __future__ import annotations

from typing import Any

import pytest
import structlog
from structlog.testing import CapturingLogger
from taskman_authz_sidecar.changes import MANY, Changes
from taskman_authz_sidecar.settings import Settings, read_event

from taskman_authz.messaging import Event
from taskman_authz.remembered import MemoryCache, resource_tag, subject_tag

RULES = [read_event(rule) for rule in Settings.model_fields["entity_events"].default]
REMEMBERED = [
    subject_tag("acme", "user", "7"),
    subject_tag("other", "user", "7"),
    resource_tag("acme", "users", "7"),
    resource_tag("acme", "tasks", "7"),
    resource_tag("acme", "projects", "7"),
    subject_tag(None, "user", "7"),  # asked of no company: an acme's too
    resource_tag(None, "tasks", "7"),
]


class Heard:
    """What is left in a cache after what was heard."""

    def __init__(self) -> None:
        self.cache = MemoryCache()
        self.log = CapturingLogger()
        self.changes = Changes(RULES, [self.cache], structlog.wrap_logger(self.log, processors=[]))

    async def fill(self) -> None:
        for tag in REMEMBERED:
            found = await self.cache.find(tag, (tag,))
            await self.cache.keep(tag, found.epochs or (), b"x", 60)

    async def left(self) -> list[str]:
        return [tag for tag in REMEMBERED if (await self.cache.find(tag, (tag,))).value]


@pytest.fixture
async def heard() -> Heard:
    made = Heard()
    await made.fill()
    return made


def told(type: str, company: str | None = "acme", **data: Any) -> Event:
    return Event(type=type, company_id=company, data=data)


@pytest.mark.parametrize(
    ("event", "dropped"),
    [
        (told("user.updated", id="7"), [REMEMBERED[0], REMEMBERED[2], REMEMBERED[5]]),
        (told("user.profile.updated", id=7), [REMEMBERED[0], REMEMBERED[2], REMEMBERED[5]]),
        (told("task.assigned", id="7"), [REMEMBERED[3], REMEMBERED[6]]),
        (told("project.deleted", id="7"), [REMEMBERED[4]]),
        (told("task.assigned", id="8"), []),
        (told("task.assigned", "third", id="7"), [REMEMBERED[6]]),
        (told("task.assigned", None, id="7"), REMEMBERED),
        (told("task.assigned"), REMEMBERED),
        (told("task.assigned", id=True), REMEMBERED),
        (told("task.assigned", id=""), REMEMBERED),
    ],
)
async def test_an_event_ends_what_is_remembered_of_whom_it_names(heard, event, dropped):
    await heard.changes.hear(event)
    assert await heard.left() == [tag for tag in REMEMBERED if tag not in dropped]


async def test_what_cannot_be_read_is_told_without_its_values(heard):
    await heard.changes.hear(told("task.assigned", id={"secret": "value"}))
    assert len(heard.log.calls) == 1
    assert "secret" not in str(heard.log.calls)


async def test_subjects_whose_roles_changed_are_dropped_and_many_are_everybody(heard):
    await heard.changes.drop_subjects([("acme", "user:7"), ("", "user:7")])
    assert await heard.left() == [*REMEMBERED[1:5], REMEMBERED[6]]
    await heard.changes.drop_subjects(("acme", f"user:x{n}") for n in range(MANY))
    assert await heard.left() == [*REMEMBERED[1:5], REMEMBERED[6]]
    await heard.changes.drop_subjects(("acme", f"user:x{n}") for n in range(MANY + 1))
    assert await heard.left() == []


def test_nothing_is_listened_for_that_changes_nothing_here():
    log = structlog.wrap_logger(CapturingLogger(), processors=[])
    assert Changes(RULES, [], log).patterns() == {}
    assert Changes(RULES, [MemoryCache()], log).patterns() == {
        "user.events": ["user.#"],
        "task.events": ["task.#", "project.#"],
    }
