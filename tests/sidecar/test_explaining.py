"""`Explain`: why an answer is what it is, for those callers only who may know."""

from __future__ import annotations

import grpc
import pytest
import structlog
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from taskman_authz_sidecar.door import Call, Caller, Door
from taskman_authz_sidecar.explanations import DEPTH, explanation_message
from taskman_authz_sidecar.faces import OURS
from taskman_authz_sidecar.security import OnlyCallers
from taskman_authz_sidecar.status import Code, Refusal

from taskman_authz import PDP, cel
from taskman_authz.policy import compile_documents
from taskman_authz.v1 import authorization_pb2 as pb
from tests.sidecar.conftest import POLICIES
from tests.sidecar.test_answering import question

SUBJECT = {"type": "user", "id": "ann", "roles": ["developer"], "department": "engineering"}
TASK = {"type": "tasks", "id": "1", "owner": "dev"}


def explained(sidecar, others: bool = False, **fields: object) -> pb.ExplainResponse:
    request = pb.ExplainRequest(request=question(**fields), others=others)
    return pb.ExplainResponse.FromString(sidecar.call("Explain", request.SerializeToString()))


def message(policies: str, *asked: object, others: bool = False) -> pb.ExplainResponse:
    pdp = PDP(compile_documents([("tasks.yaml", policies)]))
    return explanation_message(pdp.explain(*asked, others=others))


def policy_with(condition: str) -> str:
    head = "policies: [{id: a, effect: allow, roles: ['*'], actions: ['*'], resources: ['*'],"
    return f'{head} condition: "{condition}"}}]'


def allowed(patterns: list[str], *names: str) -> bool:
    try:
        OnlyCallers("Explain", patterns)(Call("grpc", "Explain", Caller(names)))
    except Refusal as refusal:
        assert refusal.status.code is Code.PERMISSION_DENIED
        return False
    return True


@pytest.mark.process
def test_nobody_may_have_an_explanation_unless_the_settings_say_so(sidecar):
    with pytest.raises(grpc.RpcError) as caught:
        explained(sidecar)
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.process
def test_an_explanation_tells_rules_clauses_values_and_the_change_that_was_tried(policies, start):
    sidecar = start(policies, "--explain-callers", "*")
    found = explained(sidecar, others=True, subject="user:ann")
    assert not found.decision.allowed
    assert found.decision.revision == sidecar.wait_for("serving")["revision"]
    (rule,) = [rule for rule in found.rules if rule.effect == "allow"]
    assert (rule.policy, rule.outcome, rule.decided) == (
        "developers-edit-their-own",
        "not_met",
        False,
    )
    assert rule.file.endswith("tasks.yaml") and rule.line > 1
    (clause,) = rule.deciding
    assert (clause.text, clause.value) == ("resource.owner == subject.id", "false")
    assert {part.text: part.value for part in clause.parts} == {
        "resource.owner": '"dev"',
        "subject.id": '"ann"',
    }
    assert [each.policy for each in found.others] == ["everyone-views-small-tasks"]
    assert found.others[0].mismatches[0].field == "action"
    (change,) = found.search.change.attributes
    assert (change.path, change.before, change.after) == ("resource.owner", '"dev"', '"ann"')
    assert found.search.change.decision.allowed


@pytest.mark.process
def test_a_question_that_cannot_be_explained_names_its_field_to_programs_too(policies, start):
    sidecar = start(policies, "--explain-callers", "*")
    for method, fields in (("Explain", {"resource": "tasks"}), ("Check", {"subject": "dev"})):
        asked = question(**fields)
        data = pb.ExplainRequest(request=asked) if method == "Explain" else asked
        with pytest.raises(grpc.RpcError) as caught:
            sidecar.call(method, data.SerializeToString())
        told = rpc_status.from_call(caught.value)
        assert told.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
        (packed,) = told.details
        wrong = error_details_pb2.BadRequest()
        assert packed.Unpack(wrong)
        (violation,) = wrong.field_violations
        assert violation.field == next(iter(fields))
        assert violation.description.startswith("expected")
        assert "dev" not in violation.description


def test_only_named_callers_are_let_through():
    assert allowed(["*"])
    assert not allowed([]) and not allowed([], "uid:0")
    assert allowed(["uid:1000", "spiffe://x/*"], "dns:a", "spiffe://x/ops/admin")
    assert allowed(["uid:1000"], "uid:1000") and not allowed(["uid:1000"], "uid:10001")
    assert not allowed(["spiffe://x/*"]) and not allowed(["spiffe://x/*"], "spiffe://xy/a")
    OnlyCallers("Explain", [])(Call("grpc", "Check"))


def test_a_value_is_a_text_that_cel_reads_back():
    attributes = {"a": 1, "b": [2.5, None, {"c": b"\0"}], "d": 'x"\n'}
    found = message(policy_with("resource.all != 1"), "u:1", "a:b", {**TASK, "all": attributes})
    (rule,) = found.rules
    (value,) = [part.value for part in rule.condition.parts if part.text == "resource.all"]
    assert cel.evaluate(value) == attributes


def test_an_attribute_that_is_added_or_taken_away_has_no_other_side():
    found = message(policy_with("has(resource.x) && resource.x == 1"), "u:1", "a:b", TASK)
    (change,) = found.search.change.attributes
    assert change.HasField("after") and not change.HasField("before")
    found = message(policy_with("!has(resource.owner)"), "u:1", "a:b", TASK)
    (change,) = found.search.change.attributes
    assert change.HasField("before") and not change.HasField("after")


def test_a_deep_condition_is_told_as_deep_as_every_reader_takes_and_says_that_it_goes_on():
    deep = "resource.n" + " + 1" * 150 + " > 0"
    found = message(policy_with(deep), "u:1", "a:b", {**TASK, "n": 1})
    read = pb.ExplainResponse.FromString(found.SerializeToString())
    part, depth = read.rules[0].condition, 1
    while part.parts:
        assert not part.is_cut
        part, depth = part.parts[0], depth + 1
    assert (depth, part.is_cut) == (DEPTH, True)


def test_loops_are_told_turn_by_turn():
    policy = policy_with("resource.tags.exists(t, t == 'b')")
    (rule,) = message(policy, "u:1", "a:b", {**TASK, "tags": ["a", "b", "c"]}).rules
    assert rule.condition.turn_count == 2
    assert [dict(turn.variables) for turn in rule.condition.turns] == [{"t": '"a"'}, {"t": '"b"'}]


def test_an_error_is_told_with_its_code():
    (rule,) = message(policy_with("resource.x == 1"), "u:1", "a:b", TASK).rules
    assert (rule.outcome, rule.condition.error.code) == ("failed", "no_such_key")
    assert not rule.condition.value


def test_the_explained_decision_is_the_decision(policies):
    found = message(POLICIES, SUBJECT, "tasks:edit", TASK)
    decision = PDP.from_path(policies).check(SUBJECT, "tasks:edit", TASK)
    assert [d.code for d in found.decision.details] == [r.code for r in decision.reasons]


def test_the_guard_of_a_method_stands_at_the_door_of_that_one_alone():
    asked: list[str] = []

    class Only(OnlyCallers):
        def __call__(self, call: Call) -> None:
            asked.append("its own")

    door = Door(structlog.get_logger(), [Only("Explain", []), lambda _: asked.append("another")])
    for name in ("Check", "Explain"):
        answer = door.of(OURS, name).answer(Call("grpc", name), lambda data, _: data, b"x")
        assert answer == b"x"
    assert asked == ["another", "its own", "another"]
    assert door.of(OURS) is door
