"""What a running sidecar answers, to good questions and to bad ones."""

from __future__ import annotations

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from taskman_authz.v1 import authorization_pb2 as pb
from tests.sidecar.process import PATIENCE, SERVING, Sidecar

pytestmark = pytest.mark.process


def question(**fields: object) -> pb.CheckRequest:
    good = {"subject": "user:dev", "action": "tasks:edit", "resource": "tasks/1"}
    message = pb.CheckRequest(**{**good, **fields})
    message.subject_properties.update({"roles": ["developer"], "department": "engineering"})
    message.resource_properties.update({"owner": "dev"})
    return message


def check(sidecar: Sidecar, message: pb.CheckRequest) -> pb.CheckResponse:
    return pb.CheckResponse.FromString(sidecar.call("Check", message.SerializeToString()))


def refusal(sidecar: Sidecar, method: str, data: bytes) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        sidecar.call(method, data)
    return caught.value.code(), caught.value.details() or ""


def test_check_answers_with_the_policy_that_allowed_and_the_revision(sidecar):
    answer = check(sidecar, question())
    assert answer.allowed
    assert [(r.code, r.policy) for r in answer.details] == [
        ("allowed_by_policy", "developers-edit-their-own")
    ]
    assert list(answer.reasons) == [r.message for r in answer.details]
    assert answer.revision == sidecar.wait_for("serving")["revision"]


def test_a_denial_is_an_answer(sidecar):
    answer = check(sidecar, question(subject="user:ann"))
    assert not answer.allowed
    assert answer.reasons


def test_the_documents_context_reaches_the_conditions(sidecar):
    assert check(sidecar, question(context={"ip": "10.1.2.3"})).allowed
    assert not check(sidecar, question(context={"ip": "192.168.0.1"})).allowed


def test_integral_numbers_of_a_struct_are_integers_to_a_condition(sidecar):
    message = question(action="tasks:view")
    message.resource_properties.update({"size": 9, "labels": []})
    assert check(sidecar, message).allowed


def test_a_batch_is_answered_in_order_and_a_bad_item_is_denied_in_its_place(sidecar):
    items = [question(), question(resource="nowhere"), question(subject="user:ann"), question()]
    data = pb.BatchCheckRequest(items=items).SerializeToString()
    results = pb.BatchCheckResponse.FromString(sidecar.call("BatchCheck", data)).results
    assert [result.allowed for result in results] == [True, False, False, True]
    assert [r.code for r in results[1].details] == ["invalid_request"]
    assert results[1].reasons[0].startswith("resource: expected")
    assert len({result.revision for result in results}) == 1


def test_an_empty_batch_has_an_empty_answer(sidecar):
    assert sidecar.call("BatchCheck", b"") == b""


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"subject": "dev"}, "subject: "),
        ({"action": ""}, "action: "),
        ({"resource": "tasks"}, "resource: "),
        ({"resource": "tasks/"}, "resource.id: "),
    ],
)
def test_a_bad_field_is_an_invalid_argument_that_names_it(sidecar, fields, place):
    code, details = refusal(sidecar, "Check", question(**fields).SerializeToString())
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details.startswith(place)


@pytest.mark.parametrize(
    "data",
    [b"\x0a\xff", b"\x0a\x02\xff\xfe", question().SerializeToString()[:-3], b"\xff" * 50],
    ids=["truncated", "not UTF-8", "cut short", "no message"],
)
def test_bytes_that_are_no_message_are_an_invalid_argument(sidecar, data):
    for method in ("Check", "BatchCheck"):
        code, details = refusal(sidecar, method, data)
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert details.startswith("message: ")


def test_a_message_over_the_limit_is_refused(sidecar):
    code, _ = refusal(sidecar, "Check", b"\x0a" * 200_000)
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_batch_over_the_limit_is_refused(sidecar):
    data = pb.BatchCheckRequest(items=[question()] * 51).SerializeToString()
    code, details = refusal(sidecar, "BatchCheck", data)
    assert (code, details) == (grpc.StatusCode.INVALID_ARGUMENT, "items: more than 50 items")


def test_properties_deeper_than_the_limit_are_refused(sidecar):
    message = question()
    struct = message.resource_properties
    for _ in range(32):
        struct = struct.fields["a"].struct_value
    struct.SetInParent()
    code, _ = refusal(sidecar, "Check", message.SerializeToString())
    assert code is grpc.StatusCode.INVALID_ARGUMENT


def test_an_unknown_method_is_unimplemented(sidecar):
    assert refusal(sidecar, "Grant", b"")[0] is grpc.StatusCode.UNIMPLEMENTED


def test_a_refused_call_is_logged_with_its_request_id_and_without_values(sidecar):
    bad = question(subject="secret").SerializeToString()
    with grpc.insecure_channel(sidecar.address) as channel:
        ask = channel.unary_unary("/taskman_authz.v1.AuthorizationService/Check", None, None)
        with pytest.raises(grpc.RpcError):
            ask(bad, timeout=PATIENCE, metadata=(("x-request-id", "req-789"),))
    event = sidecar.wait_for("call refused", request_id="req-789")
    assert (event["method"], event["status"]) == ("Check", "INVALID_ARGUMENT")
    assert "secret" not in str(event)


def test_health_serves_the_server_the_service_and_the_policies(sidecar):
    for service in ("", "taskman_authz.v1.AuthorizationService", "taskman_authz.policies"):
        assert sidecar.health(service) == SERVING
    with pytest.raises(grpc.RpcError) as caught:
        sidecar.health("another")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_reflection_describes_the_service(policies, start):
    sidecar = start(policies, "--reflection", "true", "--transport", "grpcio")
    with grpc.insecure_channel(sidecar.address) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest
        questions = [
            request(list_services=""),
            request(file_containing_symbol="taskman_authz.v1.AuthorizationService"),
        ]
        listed, described = stub.ServerReflectionInfo(iter(questions), timeout=PATIENCE)
    names = {service.name for service in listed.list_services_response.service}
    assert {"taskman_authz.v1.AuthorizationService", "grpc.health.v1.Health"} <= names
    files = described.file_descriptor_response.file_descriptor_proto
    assert any(b"BatchCheckRequest" in file for file in files)
