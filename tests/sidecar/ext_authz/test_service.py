"""Promises of one call, from Envoy's bytes to ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import CapturingLogger
from taskman_authz_sidecar.decisions import Decisions
from taskman_authz_sidecar.door import Call, Door
from taskman_authz_sidecar.ext_authz import Denials, ExtAuthz
from taskman_authz_sidecar.ext_authz.reading import read_table
from taskman_authz_sidecar.status import Code, Status

from taskman_authz import PDP, compile_documents
from taskman_authz.envoy.v3 import external_auth_pb2 as pb
from tests.sidecar.ext_authz.tables import POLICIES, ROUTES

ANN = {"sub": "ann", "roles": ["developer"], "department": "engineering"}
EDIT = ("PUT", "/projects/p1/tasks/7")


def message(method: str, path: str, claims: Any = None, **headers: str) -> pb.CheckRequest:
    """What Envoy asks of a request; `_` in the name of a header is `-`."""
    found = pb.CheckRequest()
    http = found.attributes.request.http
    http.method, http.path, http.host = method, path, "tasks.test"
    http.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    found.attributes.source.address.socket_address.address = "10.1.2.3"
    if claims is not None:
        metadata = found.attributes.metadata_context.filter_metadata
        metadata["envoy.filters.http.jwt_authn"].update({"jwt_payload": claims})
    return found


class Asker:
    """The service behind a door, as the server has it."""

    def __init__(self, routes: str = ROUTES, shown: str = "policies") -> None:
        self.asked: list[Any] = []
        self.logger = CapturingLogger()
        pdp = PDP(compile_documents([("p.yaml", POLICIES)]))
        decisions = Decisions(pdp, told=[lambda request, *_: self.asked.append(request)])
        table = read_table("routes.yaml", routes, ["x-user"])
        self.denials = Denials(shown, 'Bearer realm="tasks"')
        self.service = ExtAuthz(decisions, lambda: table, self.denials, ["x-user"])
        self.door = Door(structlog.wrap_logger(self.logger, processors=[]))

    def __call__(self, asked: pb.CheckRequest | bytes) -> pb.CheckResponse:
        data = asked if isinstance(asked, bytes) else asked.SerializeToString()
        answer = self.door.answer(Call("ext_authz", "Check"), self.service.check, data)
        if isinstance(answer, Status):
            answer = self.denials.refuse(answer)
        return pb.CheckResponse.FromString(answer)


@pytest.fixture
def ask() -> Asker:
    return Asker()


def is_allowed(answer: pb.CheckResponse) -> bool:
    allowed = answer.status.code == 0
    assert answer.HasField("ok_response") is allowed
    assert answer.HasField("denied_response") is not allowed
    return allowed


def problem(answer: pb.CheckResponse) -> tuple[int, list[dict[str, str]]]:
    assert not is_allowed(answer)
    found = json.loads(answer.denied_response.body)
    assert found["status"] == answer.denied_response.status.code
    return found["status"], found.get("reasons", [])


def headers_of(answer: pb.CheckResponse) -> dict[str, str]:
    assert all(each.append_action == 2 for each in answer.ok_response.headers)
    return {each.header.key: each.header.value for each in answer.ok_response.headers}


def test_a_question_is_made_of_method_path_and_claims(ask):
    answer = ask(message(*EDIT, ANN))
    assert is_allowed(answer)
    (asked,) = ask.asked
    assert (asked.subject_type, asked.subject_id, asked.roles) == ("user", "ann", ("developer",))
    assert (asked.action, asked.resource_type, asked.resource_id) == ("tasks:edit", "tasks", "7")
    assert asked.resource == {"project": "p1", "method": "PUT"}
    assert asked.context == {"ip": "10.1.2.3"}
    assert asked.company_id is None


def test_the_upstream_is_told_who_asked_and_by_which_policies(ask):
    answer = ask(message(*EDIT, ANN))
    revision = answer.dynamic_metadata["revision"]
    assert headers_of(answer) == {"x-taskman-subject": "user:ann", "x-taskman-revision": revision}
    assert dict(answer.dynamic_metadata) | {"policies": 0, "reasons": 0} == {
        "decision": "allow",
        "route": "PUT /projects/{project}/tasks/{id}",
        "revision": revision,
        "reasons": 0,
        "policies": 0,
    }
    assert list(answer.dynamic_metadata["policies"]) == ["developers-edit-their-own"]
    assert list(answer.dynamic_metadata["reasons"]) == ["allowed_by_policy"]


def test_what_a_client_sends_for_ours_is_removed(ask):
    forged = {"x-taskman-subject": "user:root", "x_taskman_subject": "user:root"}
    forged |= {"x-original-url": "/admin", "X_TASKMAN-revision".lower(): "0"}
    asked = message(*EDIT, ANN)
    asked.attributes.request.http.headers.update(forged)
    removed = set(ask(asked).ok_response.headers_to_remove)
    assert {"x_taskman_subject", "x_taskman-revision", "x-original-url"} <= removed
    assert "x-http-method-override" in removed
    # Given and removed, it would not be there: Envoy removes last.
    assert not removed & {"x-taskman-subject", "x-taskman-revision"}


def test_a_public_route_needs_nobody_and_tells_nothing_of_anybody(ask):
    answer = ask(message("GET", "/health", ANN, x_taskman_subject="user:root"))
    assert is_allowed(answer)
    assert headers_of(answer) == {}
    assert "x-taskman-subject" in answer.ok_response.headers_to_remove
    assert ask.asked == []
    assert dict(answer.dynamic_metadata) == {"decision": "public", "route": "GET /health"}


def test_a_denial_is_403_with_codes_and_policies_as_far_as_they_are_shown():
    denied = message("PUT", "/projects/p2/tasks/7", ANN)
    told = {shown: problem(Asker(shown=shown)(denied)) for shown in ("none", "codes", "policies")}
    assert {status for status, _ in told.values()} == {403}
    assert told["none"][1] == []
    assert told["codes"][1] == [{"code": "condition_not_met"}]
    policy = "developers-edit-their-own"
    assert told["policies"][1] == [{"code": "condition_not_met", "policy": policy}]


def test_a_tenants_policies_hold_for_whom_the_token_says(ask):
    status, reasons = problem(ask(message(*EDIT, ANN | {"company_id": "acme"})))
    assert (status, reasons[0]["policy"]) == (403, "acme-edits-nothing")


def test_nobody_is_401_and_told_where_to_get_a_subject(ask):
    for claims in (None, {}, {"roles": ["developer"]}, {"sub": ""}):
        answer = ask(message(*EDIT, claims, authorization="Bearer x", x_taskman_subject="user:a"))
        assert problem(answer) == (401, [{"code": "no_subject"}])
        headers = {h.header.key: h.header.value for h in answer.denied_response.headers}
        assert headers["www-authenticate"] == 'Bearer realm="tasks"'
    assert ask.asked == []


def test_an_id_that_is_not_there_is_nobody_however_it_is_asked_for():
    strict = Asker(ROUTES.replace("claims.?sub", "claims.sub").replace("source.?p", "source.p"))
    assert problem(strict(message(*EDIT)))[0] == 401
    assert is_allowed(strict(message(*EDIT, ANN)))
    without_a_company = Asker(ROUTES.replace("claims.?company_id", "claims.company_id"))
    assert problem(without_a_company(message(*EDIT, ANN)))[0] == 403


@pytest.mark.parametrize("code", [Code.UNAUTHENTICATED, Code.PERMISSION_DENIED])
def test_what_is_wrong_with_envoy_itself_is_no_challenge_to_its_client(code):
    answer = Denials("codes", "Bearer").refuse(Status(code, "who are you"))
    found = pb.CheckResponse.FromString(answer)
    assert problem(found) == (403, [{"code": code.name.lower()}])
    assert [each.header.key for each in found.denied_response.headers] == ["content-type"]


def test_who_asks_too_often_is_told_when_to_come_again():
    answer = Denials("codes", "Bearer").refuse(Status(Code.RESOURCE_EXHAUSTED, "", (), 2.5))
    found = pb.CheckResponse.FromString(answer)
    assert problem(found) == (429, [{"code": "resource_exhausted"}])
    headers = {each.header.key: each.header.value for each in found.denied_response.headers}
    assert headers["Retry-After"] == "3"


def test_a_peer_is_the_subject_where_there_is_no_token(ask):
    asked = message(*EDIT)
    asked.attributes.source.principal = "spiffe://example.org/mailer"
    answer = ask(asked)
    assert is_allowed(answer)
    assert headers_of(answer)["x-taskman-subject"] == "service:spiffe://example.org/mailer"
    asked.attributes.source.principal = "spiffe://example.org/other"
    assert problem(ask(asked))[0] == 403


def test_a_header_says_who_asks_only_where_it_is_trusted(ask):
    asked = message("GET", "/tasks/1?size=1", x_user="bob")
    assert headers_of(ask(asked))["x-taskman-subject"] == "user:bob"
    assert problem(ask(message("GET", "/tasks/1?size=1", x_account="bob")))[0] == 401


def test_headers_that_are_passed_on_raw_are_read_too(ask):
    asked = message("GET", "/tasks/1?size=1")
    for name, value in (("X-User", b"bo"), ("x-user", b"b"), ("user-agent", b"\xff")):
        asked.attributes.request.http.header_map.headers.add(key=name, raw_value=value)
    assert is_allowed(ask(asked))
    assert ask.asked[0].subject_id == "bo,b"
    assert ask.asked[0].context["agent"] == "\\xff"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nowhere"), ("POST", "/health"), ("HEAD", "/health"), ("GET", "/health/")]
    + [("GET", "/Health"), ("get", "/health"), ("PUT", "/projects/p1/tasks/"), ("GET", "/")],
)
def test_what_is_not_in_the_table_is_denied(ask, method, path):
    assert problem(ask(message(method, path, ANN))) == (403, [{"code": "no_route"}])
    assert ask.asked == []


@pytest.mark.parametrize("path", ["//health", "/x/../health", "/health;x", "/%68ealth", "health"])
def test_what_may_be_read_as_two_paths_is_400(ask, path):
    assert problem(ask(message("GET", path, ANN))) == (400, [{"code": "invalid_request"}])


@pytest.mark.parametrize("query", ["", "?size=", "?size=x", "?size=1&size=2", "?size=%", "?Size=1"])
def test_what_cannot_be_read_is_denied(ask, query):
    status, reasons = problem(ask(message("GET", f"/tasks/1{query}", ANN)))
    assert (status in (400, 403), reasons) == (True, [{"code": "invalid_request"}])
    assert ask.asked == []


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": 7},
        {"sub": ["ann"]},
        {"sub": None},
        ANN | {"roles": "developer"},
        ANN | {"roles": [1]},
    ]
    + [ANN | {"company_id": 7}, {"sub": "a" * 2_000}],
)
def test_claims_of_other_types_are_denied_and_never_repeated(ask, claims):
    status, reasons = problem(ask(message(*EDIT, claims)))
    assert (status, reasons) == (403, [{"code": "invalid_request"}])
    said = str([call.kwargs["error"] for call in ask.logger.calls])
    assert said != "[]"
    assert not any(value in said for value in ("`ann`", "'ann'", "developer", "aaaa", "7"))


@pytest.mark.parametrize("sub", ["ann\r\nx-admin: 1", "ann\n", "a\x00b", "a\u2028b"])
def test_what_cannot_stand_in_a_header_never_goes_into_one(ask, sub):
    assert problem(ask(message("GET", "/tasks/1?size=1", {"sub": sub})))[0] == 403


@pytest.mark.parametrize("data", [b"", b"\xff", pb.CheckRequest().SerializeToString(), b"\x0a\x01"])
def test_what_is_no_request_of_http_is_denied(ask, data):
    assert problem(ask(data)) == (400, [{"code": "invalid_request"}])


def test_a_failure_of_ours_is_a_denial(ask, monkeypatch):
    monkeypatch.setattr(PDP, "decide", lambda *_: 1 / 0)
    assert problem(ask(message(*EDIT, ANN))) == (500, [{"code": "internal"}])


def test_unread_queries_do_not_matter(ask):
    assert is_allowed(ask(message("PUT", f"{EDIT[1]}?a=1&a=2&%", ANN)))


def test_headers_for_the_upstream_are_what_the_table_says():
    routes = f"""{ROUTES}
headers:
  x-company: decision.?company_id
  x-policies: decision.policies[0]
  x-mail: claims.?email
remove_headers: [authorization, x-company]
"""
    answer = Asker(routes)(message("GET", "/tasks/1?size=1", ANN | {"company_id": "beta"}))
    assert headers_of(answer) == {"x-company": "beta", "x-policies": "everyone-views-small-tasks"}
    removed = set(answer.ok_response.headers_to_remove)
    assert {"authorization", "x-mail"} <= removed
    assert not removed & {"x-company", "x-policies", "x-taskman-subject"}


@given(st.binary(max_size=40), st.integers(0, 400))
def test_no_damage_to_a_message_lets_a_request_through(data, at):
    ask = Asker()
    whole = message("DELETE", "/projects/p1/tasks/7", ANN).SerializeToString()
    at = min(at, len(whole))
    answer = ask(whole[:at] + data + whole[at + len(data) :])
    if is_allowed(answer):
        # Only as what it became: a question that was allowed, or something public.
        told = dict(answer.dynamic_metadata)
        assert told["decision"] == "public" or ask.asked
