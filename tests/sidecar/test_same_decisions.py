"""The promise of all faces: the same question has the same answer, in process, over gRPC and over
HTTP."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskman_authz import PDP
from taskman_authz.client import Client
from tests.sidecar.conftest import write_policies
from tests.sidecar.http.asking import EVALUATION, EVALUATIONS, ask
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


@pytest.fixture(scope="module", params=["compiled", "plain"])
def faces(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[tuple[PDP, Client, http.client.HTTPConnection]]:
    """A decision point in this process and one behind gRPC and HTTP, of the same policies; that
    one on either twin of the core."""
    folder = tmp_path_factory.mktemp("same") / "policies"
    folder.mkdir()
    write_policies(folder, POLICIES)
    with pytest.MonkeyPatch.context() as environment:
        if request.param == "plain":
            environment.setenv("TASKMAN_AUTHZ_PURE", "1")
        sidecar = Sidecar(folder, "--http-listen", "127.0.0.1:0")
    connection = http.client.HTTPConnection(sidecar.http[0], timeout=PATIENCE)
    with Client(sidecar.address, timeout=PATIENCE) as client:
        yield PDP.from_path(folder), client, connection
    connection.close()
    sidecar.kill()


# A thousand questions, by eights.
MANY = settings(
    max_examples=125,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)


@MANY
@given(questions=st.lists(QUESTION, min_size=8, max_size=8))
def test_a_question_has_the_same_decision_in_process_and_over_grpc(faces, questions):
    pdp, client, _ = faces
    here = pdp.batch_check(questions)
    there = client.batch_check(questions)
    assert [(d.allowed, d.reasons) for d in there] == [(d.allowed, d.reasons) for d in here]
    for question, decision in zip(questions, here, strict=True):
        if decision.reasons[0].code != "invalid_request":
            assert client.check(**question) == pdp.check(**question) == decision


def entity(given: Any, separator: str) -> dict[str, Any]:
    """A subject or a resource as AuthZEN has it."""
    if isinstance(given, str):
        kind, _, id = given.partition(separator)
        return {"type": kind, "id": id}
    rest = {name: value for name, value in given.items() if name not in ("type", "id")}
    return {"type": given["type"], "id": given["id"], "properties": rest}


def evaluation(question: dict[str, Any]) -> dict[str, Any]:
    """A question as AuthZEN has it."""
    action = question["action"]
    if not isinstance(action, str):
        rest = {name: value for name, value in action.items() if name != "name"}
        action = {"name": action["name"], "properties": rest}
    return {
        "subject": entity(question["subject"], ":"),
        "action": {"name": action} if isinstance(action, str) else action,
        "resource": entity(question["resource"], "/"),
        "context": question["context"],
    }


def told(answer: dict[str, Any]) -> Any:
    """What is the same on every face: the decision, the reasons, the revision."""
    context = answer["context"]
    reasons = [tuple(reason.values()) for reason in context["reasons"]]
    return answer["decision"], reasons, context["revision"]


def is_whole(question: dict[str, Any]) -> bool:
    """Whether AuthZEN can say it at all: it has no text in which a separator could lack."""
    return question["subject"] != "nobody" and question["resource"] != "nowhere"


@MANY
@given(
    questions=st.lists(QUESTION.filter(is_whole), min_size=8, max_size=8),
    company=st.sampled_from([None, "acme"]),
)
def test_a_question_has_the_same_decision_in_process_and_over_http(faces, questions, company):
    pdp, _, connection = faces
    questions = [
        {**one, "company_id": company} for one in questions if one["resource"] != "nowhere"
    ]
    here = [
        (d.allowed, [(r.code, r.policy, r.message) for r in d.reasons], d.revision)
        for d in pdp.batch_check(questions)
    ]
    bodies = [evaluation(question) for question in questions]
    tenant = "" if company is None else f"/{company}"
    answer = ask("", tenant + EVALUATIONS, {"evaluations": bodies}, connection=connection)
    assert [told(each) for each in answer.body["evaluations"]] == here
    for body, decision in zip(bodies, here, strict=True):
        answer = ask("", tenant + EVALUATION, body, connection=connection)
        assert told(answer.body) == decision
