"""The promise of all faces: the same question has the same answer, in process and over gRPC."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskman_authz import PDP
from taskman_authz.client import Client
from tests.sidecar.conftest import write_policies
from tests.sidecar.process import PATIENCE, Sidecar

pytestmark = pytest.mark.process

POLICIES = """\
policies:
  - id: owners
    effect: allow
    roles: [developer]
    actions: ["tasks:*"]
    resources: ["tasks/*"]
    condition: resource.owner == subject.id || subject.roles.contains('admin')
  - id: arithmetic
    effect: allow
    roles: ["*"]
    actions: ["tasks:view"]
    resources: ["tasks/*", "projects/*"]
    condition: resource.size / 2 + 1 < subject.level || resource.weight * 2.0 > 1.0
  - id: shapes
    effect: allow
    roles: [viewer, admin]
    actions: ["*"]
    resources: ["*"]
    condition: |
      has(resource.labels) && resource.labels.exists(l, l.startsWith('a')) ||
      resource.parent.owner == subject.id || action.bulk
  - id: closed
    effect: deny
    roles: ["*"]
    actions: ["tasks:edit"]
    resources: ["*"]
    condition: context.level > 2 && context.ip != '10.0.0.7'
"""

ROLES = st.lists(st.sampled_from(["developer", "viewer", "admin"]), max_size=2)
NUMBER = st.integers(-3, 3) | st.sampled_from([0.25, 2.5, 2**53])
ANYTHING = NUMBER | st.booleans() | st.none() | st.sampled_from(["dev", "a", ""])
SUBJECT = st.fixed_dictionaries(
    {"type": st.just("user"), "id": st.sampled_from(["dev", "ann"])},
    optional={"roles": ROLES, "level": ANYTHING},
)
RESOURCE = st.fixed_dictionaries(
    {"type": st.sampled_from(["tasks", "projects"]), "id": st.sampled_from(["1", "2"])},
    optional={
        "owner": ANYTHING,
        "size": ANYTHING,
        "weight": ANYTHING,
        "labels": st.lists(ANYTHING, max_size=2) | ANYTHING,
        "parent": st.fixed_dictionaries({}, optional={"owner": ANYTHING}) | ANYTHING,
    },
)
VERB = st.sampled_from(["tasks:view", "tasks:edit", "projects:view"])
ACTION = VERB | st.fixed_dictionaries({"name": VERB}, optional={"bulk": ANYTHING})
CONTEXT = st.none() | st.fixed_dictionaries(
    {}, optional={"level": ANYTHING, "ip": st.sampled_from(["10.0.0.7", "192.168.0.1"])}
)
QUESTION = st.fixed_dictionaries(
    {
        "subject": SUBJECT | st.sampled_from(["user:dev", "nobody"]),
        "action": ACTION,
        "resource": RESOURCE | st.sampled_from(["tasks/1", "nowhere"]),
        "context": CONTEXT,
        "company_id": st.sampled_from([None, "acme"]),
    }
)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PDP, Client]]:
    """A decision point in this process and one behind gRPC, of the same policies."""
    folder = tmp_path_factory.mktemp("same") / "policies"
    folder.mkdir()
    write_policies(folder, POLICIES)
    sidecar = Sidecar(folder)
    with Client(sidecar.address, timeout=PATIENCE) as client:
        yield PDP.from_path(folder), client
    sidecar.kill()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(questions=st.lists(QUESTION, max_size=8))
def test_a_question_has_the_same_decision_in_process_and_over_grpc(both, questions):
    pdp, client = both
    here = pdp.batch_check(questions)
    there = client.batch_check(questions)
    assert [(d.allowed, d.reasons) for d in there] == [(d.allowed, d.reasons) for d in here]
    for question, decision in zip(questions, here, strict=True):
        if decision.reasons[0].code != "invalid_request":
            assert client.check(**question) == pdp.check(**question) == decision
