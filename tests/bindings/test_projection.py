"""Who holds which role: in whatever order and however often it is told."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz import Limits, RequestError
from taskman_authz.bindings import Bindings, HeldRole, SubjectRoles

NOW = 1_700_000_000_000_000_000  # nanoseconds
AT = datetime.fromtimestamp(NOW / 1e9, UTC)


def told(
    version: int, *roles: str, company: str = "acme", subject: str = "user:1", ends: float = 0
) -> SubjectRoles:
    end = AT + timedelta(seconds=ends) if ends else None
    return SubjectRoles(company, subject, version, tuple(HeldRole(role, end) for role in roles))


def roles(bindings: Bindings, company: str | None = "acme", now: int = NOW) -> tuple[str, ...]:
    return bindings.held(company, "user:1", now).roles


def test_who_is_not_known_holds_nothing():
    assert Bindings().held("acme", "user:1", NOW).roles == ()


def test_the_roles_of_one_company_are_not_held_in_another():
    bindings = Bindings()
    bindings.apply(told(1, "a"))
    bindings.apply(told(1, "everywhere", company=""))
    assert roles(bindings) == ("a", "everywhere")
    assert roles(bindings, "other") == roles(bindings, None) == ("everywhere",)


def test_a_role_ends_when_it_expires_and_with_it_the_epoch():
    bindings = Bindings()
    bindings.apply(told(1, "a", ends=10))
    before = bindings.held("acme", "user:1", NOW)
    after = bindings.held("acme", "user:1", NOW + 10_000_000_000)
    assert (before.roles, before.seconds) == (("a",), 10)
    assert (after.roles, after.seconds) == ((), None)
    assert before.epoch != after.epoch


@given(st.permutations(range(1, 7)), st.integers(0, 2**32))
def test_the_highest_version_counts_in_whatever_order_and_however_often_it_comes(order, seed):
    bindings = Bindings()
    events = [told(version, f"r{version}") for version in order]
    events += random.Random(seed).choices(events, k=4)
    for event in events:
        bindings.apply(event)
    assert roles(bindings) == ("r6",)


def test_a_revocation_is_not_undone_by_what_was_told_before_it():
    bindings = Bindings()
    assert bindings.apply(told(1, "a"))
    assert bindings.apply(told(2))
    assert not bindings.apply(told(1, "a"))
    assert roles(bindings) == ()


def test_a_snapshot_takes_the_roles_of_those_that_it_does_not_know():
    bindings = Bindings()
    assert not bindings.is_loaded
    bindings.apply(told(3, "a"))
    bindings.begin_snapshot()
    assert bindings.replace([told(1, "b", subject="user:2")]) == {
        ("acme", "user:1"),
        ("acme", "user:2"),
    }
    assert bindings.is_loaded
    assert roles(bindings) == ()
    assert not bindings.apply(told(3, "a"))  # an event that comes again
    assert bindings.apply(told(4, "a"))


def test_what_is_told_while_a_snapshot_is_made_outlives_it():
    bindings = Bindings()
    bindings.begin_snapshot()
    bindings.apply(told(1, "a"))
    assert bindings.replace([]) == set()
    assert roles(bindings) == ("a",)
    bindings.begin_snapshot()
    bindings.apply(told(5, "c"))
    bindings.replace([told(4, "b")])
    assert roles(bindings) == ("c",)


def test_every_change_gives_another_epoch():
    bindings = Bindings()
    met = {bindings.held("acme", "user:1", NOW).epoch}
    for version, names in enumerate((["a"], [], ["a"], ["a", "b"], ["b"]), 1):
        bindings.apply(told(version, *names))
        met.add(bindings.held("acme", "user:1", NOW).epoch)
    assert len(met) == 6


def test_what_is_known_is_bounded():
    bindings = Bindings(Limits(bindings=1, subject_roles=2))
    bindings.apply(told(1, "a", "b"))
    with pytest.raises(RequestError, match="bindings"):
        bindings.apply(told(1, "a", subject="user:2"))
    with pytest.raises(RequestError, match="subject_roles"):
        bindings.apply(told(2, "a", "b", "c"))
    assert roles(bindings) == ("a", "b")


def test_the_data_of_an_event_are_read_and_what_is_wrong_is_named_without_values():
    data = {"company_id": "acme", "subject": "user:1", "version": 3, "roles": [{"name": "a"}]}
    assert SubjectRoles.of(data) == told(3, "a")
    ends = {"name": "a", "expires_at": "2026-01-01T00:00:00Z"}
    assert SubjectRoles.of({**data, "roles": [ends]}).roles[0].ends == 1767225600 * 10**9
    with pytest.raises(RequestError, match=r"\$.version"):
        SubjectRoles.of({**data, "version": "secret"})
    with pytest.raises(RequestError, match="zone"):
        SubjectRoles.of({**data, "roles": [{"name": "a", "expires_at": "2026-01-01T00:00:00"}]})
