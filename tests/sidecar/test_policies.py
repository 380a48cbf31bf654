"""Promises of following a store: settle, keep the last good set, say everything, recover."""

from __future__ import annotations

import pytest
import structlog
from structlog.testing import CapturingLogger
from taskman_authz_sidecar.following import PATIENCE
from taskman_authz_sidecar.policies import PolicyFollower

from taskman_authz.errors import StoreError
from taskman_authz.store import MemoryStore
from tests.sidecar.conftest import POLICIES

DENYING = POLICIES.replace("effect: allow", "effect: deny", 1)


class Texts(MemoryStore):
    """Texts in memory that can fail to be read."""

    error: Exception | None = None

    def load(self) -> list[tuple[str, str]]:
        if self.error is not None:
            raise self.error
        return sorted(self.texts.items())

    def fingerprint(self) -> str:
        return repr(self.texts)


class Followed:
    """A follower of texts in memory, what it logged and which states it told."""

    def __init__(self) -> None:
        self.store = Texts({"tasks.yaml": POLICIES})
        self.states: list[bool] = []
        self.logger = CapturingLogger()
        log = structlog.wrap_logger(self.logger, processors=[])
        self.follower = PolicyFollower(self.store, log, self._tell)

    async def _tell(self, current: bool) -> None:
        self.states.append(current)

    @property
    def revision(self) -> str:
        return self.follower.pdp.policies.revision

    async def change(self, text: str) -> None:
        """Put a text in the store and look until it has been read."""
        self.store.texts["tasks.yaml"] = text
        await self.follower.look()
        await self.follower.look()


@pytest.fixture
def followed() -> Followed:
    return Followed()


async def test_nothing_happens_while_nothing_changes(followed):
    await followed.follower.look()
    await followed.follower.look()
    assert followed.states == []


async def test_a_change_is_read_when_two_looks_find_the_same(followed):
    before = followed.revision
    followed.store.texts["tasks.yaml"] = DENYING
    await followed.follower.look()
    assert followed.revision == before
    await followed.follower.look()
    assert followed.revision != before
    assert followed.states == [True]


async def test_a_store_that_never_settles_is_read_all_the_same(followed):
    before = followed.revision
    for number in range(PATIENCE + 1):
        followed.store.texts["tasks.yaml"] = f"{DENYING}# {number}\n"
        await followed.follower.look()
    assert followed.revision != before


async def test_a_bad_change_keeps_the_last_good_policies_and_a_good_one_recovers(followed):
    before = followed.revision
    await followed.change(POLICIES.replace("subject.id", "subject.").replace("< 10", "< "))
    assert followed.revision == before
    assert followed.states == [False]
    (refused,) = [call.kwargs for call in followed.logger.calls if call.method_name == "error"]
    assert len(refused["issues"]) >= 2
    assert refused["kept"] == before
    await followed.change(DENYING)
    assert followed.states == [False, True]
    assert followed.revision != before


async def test_taking_a_bad_change_back_recovers_without_a_new_revision(followed):
    before = followed.revision
    await followed.change("nonsense")
    await followed.change(POLICIES)
    assert followed.states == [False, True]
    assert followed.revision == before


@pytest.mark.parametrize("error", [StoreError("gone"), RecursionError("deep")])
async def test_whatever_goes_wrong_while_loading_keeps_the_last_good_policies(followed, error):
    before = followed.revision
    followed.store.error = error
    await followed.change(DENYING)
    assert (followed.revision, followed.states) == (before, [False])
    followed.store.error = None
    await followed.change(DENYING + "\n")
    assert followed.states == [False, True]


async def test_a_store_that_comes_back_as_it_was_is_current_again(followed):
    followed.store.error = StoreError("unreadable for a while")
    await followed.change(DENYING)
    followed.store.error = None
    await followed.change(POLICIES)
    assert followed.states == [False, True]
    assert followed.follower.current


def test_a_store_that_cannot_be_loaded_at_first_makes_no_follower():
    async def tell(_current: bool) -> None:
        raise AssertionError

    store = Texts({})
    store.error = StoreError("nothing here")
    with pytest.raises(StoreError):
        PolicyFollower(store, structlog.get_logger(), tell)
