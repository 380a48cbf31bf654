"""What a sidecar answers over HTTP: decisions with reasons, tenants, headers, health."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from taskman_authz.client import Client
from tests.sidecar.conftest import POLICIES, write_policies
from tests.sidecar.http.asking import EVALUATION, EVALUATIONS, JSON, ask
from tests.sidecar.http.conftest import FIXTURE, begin
from tests.sidecar.process import NOT_SERVING, PATIENCE, Sidecar

pytestmark = pytest.mark.process

ALICE, BOB = {"type": "user", "id": "alice"}, {"type": "user", "id": "bob"}
READ, WRITE = {"name": "read"}, {"name": "write"}
RECORD = {"type": "record", "id": "record-1"}
GOOD = {"subject": ALICE, "action": READ, "resource": RECORD}
DENIED = {"subject": BOB, "action": WRITE, "resource": RECORD}


def test_a_decision_says_why(point):
    yes, no = (ask(point.http[0], EVALUATION, body) for body in (GOOD, DENIED))
    assert (yes.status, yes.body["decision"]) == (200, True)
    assert yes.body["context"]["reasons"] == [
        {
            "code": "allowed_by_policy",
            "policy": "readers-read",
            "message": "allowed by policy `readers-read`",
        }
    ]
    assert (no.status, no.body["decision"]) == (200, False)
    assert no.body["context"]["reasons"][0]["code"] == "condition_not_met"
    assert yes.body["context"]["revision"] == no.body["context"]["revision"]


def test_what_is_stored_stands_in_on_every_face(point):
    with Client(point.address, timeout=PATIENCE) as client:
        asked = ("user:alice", "record:write", "record/record-1")
        assert client.check(*asked).reasons[0].policy == "writers-write-active"
        answers = client.batch_check([asked, ("user:bob", *asked[1:])])
    assert [answer.allowed for answer in answers] == [True, False]


@pytest.mark.parametrize(
    ("semantic", "decisions"),
    [
        (None, [True, False, True, False]),
        ("execute_all", [True, False, True, False]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
def test_each_semantic_answers_up_to_what_decides(point, semantic, decisions):
    options = {} if semantic is None else {"options": {"evaluations_semantic": semantic}}
    body = {**options, "evaluations": [GOOD, DENIED, GOOD, {}]}
    answer = ask(point.http[0], EVALUATIONS, body)
    assert [each["decision"] for each in answer.body["evaluations"]] == decisions
    assert "decision" not in answer.body


def test_an_item_that_cannot_be_asked_says_what_is_wrong_with_it(point):
    answer = ask(point.http[0], EVALUATIONS, {"evaluations": [{}, GOOD]})
    assert answer.status == 200
    bad, good = answer.body["evaluations"]
    assert bad["context"]["error"] == {"status": 400, "message": "subject: missing"}
    assert bad["context"]["reasons"][0]["code"] == "invalid_request"
    assert "error" not in good["context"]


@pytest.mark.parametrize("given", ["bfe9eb29-ab87", "a b", "x" * 256])
def test_the_id_of_a_request_is_on_every_answer(point, given):
    for path, body in ((EVALUATION, GOOD), (EVALUATION, {}), ("/nowhere", None)):
        assert ask(point.http[0], path, body, {**JSON, "X-Request-ID": given}).headers[
            "x-request-id"
        ] == (given)


def test_an_id_that_may_not_stand_in_a_log_is_not_repeated(point):
    for given in ("x" * 257, "caf\u00e9", ""):
        headers = {**JSON, "X-Request-ID": given}
        answer = ask(point.http[0], EVALUATION, GOOD, headers)
        assert answer.status == 200
        assert "x-request-id" not in answer.headers
        ask(point.http[0], EVALUATION, {}, headers)
    assert all(len(event.get("request_id", "")) <= 256 for event in point.said)


def test_the_media_type_may_have_parameters_and_any_case(point):
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert ask(point.http[0], EVALUATION, GOOD, headers).status == 200
    for other in ("text/plain", "application/jsonx", ""):
        answer = ask(point.http[0], EVALUATION, GOOD, {"Content-Type": other})
        assert (answer.status, answer.body) == (400, "Content-Type: expected application/json")


def test_an_error_is_a_message(point):
    answer = ask(point.http[0], EVALUATION, {**GOOD, "subject": {"type": "user"}})
    assert (answer.status, answer.body) == (400, "subject.id: missing")
    assert ask(point.http[0], EVALUATION).status == 405
    assert ask(point.http[0], "/access/v2/evaluation", GOOD).status == 404


def test_metadata_are_of_the_base_url_and_the_tenant_never_of_the_host_header():
    sidecar = begin("--http-base-url", "https://pdp.example.com/authz")
    try:
        headers = {"Host": "evil.example.com", "X-Forwarded-Host": "evil.example.com"}
        path = "/.well-known/authzen-configuration"
        own = ask(sidecar.http[0], path, None, headers)
        tenant = ask(sidecar.http[0], f"{path}/a%20b", None, headers)
    finally:
        sidecar.kill()
    assert own.headers["cache-control"] == "public, max-age=3600"
    assert own.body["policy_decision_point"] == "https://pdp.example.com/authz"
    assert tenant.body["policy_decision_point"] == "https://pdp.example.com/authz/a%20b"
    assert "evil" not in str((own, tenant))
    # Who knows no entities does not say that they can be searched.
    assert set(own.body) == {
        "policy_decision_point",
        "access_evaluation_endpoint",
        "access_evaluations_endpoint",
        "search_action_endpoint",
    }
    assert tenant.body["access_evaluation_endpoint"] == (
        "https://pdp.example.com/authz/a%20b/access/v1/evaluation"
    )


COMPANIES = """\
policies:
  - {id: global, effect: allow, roles: [reader], actions: ["docs:read"], resources: ["docs/*"]}
---
company: acme
policies:
  - {id: acme, effect: allow, roles: ["*"], actions: ["docs:write"], resources: ["docs/*"]}
"""
SUBJECTS = "type,id,roles,company_id\nuser,ann,reader,acme\nuser,bob,reader,initech\nuser,cy,,\n"
RESOURCES = "type,id,company_id\ndocs,1,\ndocs,2,acme\ndocs,3,initech\n"


@pytest.fixture
def companies(tmp_path: Path):
    """A sidecar of two companies; the folder of its entities is `tmp_path / "entities"`."""
    for name in ("policies", "entities"):
        (tmp_path / name).mkdir()
    write_policies(tmp_path / "policies", COMPANIES)
    (tmp_path / "entities" / "subjects.csv").write_text(SUBJECTS)
    (tmp_path / "entities" / "resources.csv").write_text(RESOURCES)
    sidecar = begin(
        *("--entities", str(tmp_path / "entities"), "--reload-interval", "0.05"),
        policies=tmp_path / "policies",
    )
    yield sidecar
    sidecar.kill()


def found(sidecar, path, body):
    answer = ask(sidecar.http[0], path, body)
    return [each.get("id") or each.get("name") for each in answer.body["results"]]


def test_a_tenants_path_is_its_company(companies):
    doc = {"type": "docs", "id": "1"}
    ann = {"type": "user", "id": "ann"}
    asked: dict[str, Any] = {"subject": ann, "action": {"name": "read"}, "resource": doc}
    paths = ["", "/acme", "/initech"]
    decisions = [ask(companies.http[0], p + EVALUATION, asked).body["decision"] for p in paths]
    assert decisions == [False, True, False]
    searches = [found(companies, f"{p}/access/v1/search/subject", asked) for p in paths]
    assert searches == [[], ["ann"], ["bob"]]
    asked["action"] = {"name": "write"}
    searches = [found(companies, f"{p}/access/v1/search/resource", asked) for p in paths]
    assert searches == [[], ["1", "2"], []]
    searches = [found(companies, f"{p}/access/v1/search/action", asked) for p in paths]
    assert searches == [[], ["read", "write"], []]


def test_entities_that_change_are_read_again_and_bad_ones_are_refused(companies, tmp_path):
    doc = {"type": "docs", "id": "1"}
    asked = {"subject": {"type": "user"}, "action": {"name": "read"}, "resource": doc}
    path = "/acme/access/v1/search/subject"
    file, aside = tmp_path / "entities" / "subjects.csv", tmp_path / "aside"
    aside.write_text(SUBJECTS + "user,ann,reader,acme\n")
    os.replace(aside, file)
    refused = companies.wait_for("entities refused, the last good ones stay")
    assert "subjects.csv:5:1: the subject `user:ann` is given twice" in refused["issues"][0]
    assert found(companies, path, asked) == ["ann"]
    aside.write_text(SUBJECTS + "user,dan,reader,acme\n")
    os.replace(aside, file)
    assert companies.wait_for("entities loaded")["entities"] == 7
    assert found(companies, path, asked) == ["ann", "dan"]


def test_pages_of_a_search_are_all_of_it_and_a_token_is_for_one_request(point):
    path = "/access/v1/search/subject"
    asked = {"subject": {"type": "user"}, "action": READ, "resource": RECORD}
    assert "page" not in ask(point.http[0], path, asked).body
    page = {"limit": 1}
    first = ask(point.http[0], path, {**asked, "page": page}).body
    assert list(first) == ["page", "results"]
    token = first["page"]["next_token"]
    second = ask(point.http[0], path, {**asked, "page": {"token": token}}).body
    assert [each["id"] for each in first["results"] + second["results"]] == ["alice", "bob"]
    assert second["page"] == {"next_token": "", "count": 1}
    for other in ({**asked, "action": WRITE}, {**asked, "context": {"a": 1}}):
        answer = ask(point.http[0], path, {**other, "page": {"token": token}})
        assert (answer.status, answer.body) == (400, "page.token: the token of another request")
    nothing = ask(point.http[0], path, {**asked, "page": {"limit": 0}}).body
    assert nothing["results"] == []
    assert nothing["page"]["next_token"]


def test_without_entities_there_is_nobody_to_search():
    sidecar = begin()
    try:
        who = {"subject": {"type": "user"}, "action": READ, "resource": RECORD}
        assert ask(sidecar.http[0], "/access/v1/search/subject", who).status == 404
        admin = {**ALICE, "properties": {"role": "admin"}}
        archived = {**RECORD, "properties": {"status": "archived"}}
        asked = {"subject": admin, "resource": archived}
        assert found(sidecar, "/access/v1/search/action", asked) == ["write"]
    finally:
        sidecar.kill()


def test_health_says_whether_it_is_alive_and_ready(policies):
    sidecar = begin("--reload-interval", "0.05", "--ready-max-age", "0.01", policies=policies)
    try:
        assert ask(sidecar.http[0], "/health/live").body == {"live": True}
        write_policies(policies, POLICIES.replace("subject.id", "subject."))
        sidecar.wait_for_health("taskman_authz.policies", NOT_SERVING)
        answer = ask(sidecar.http[0], "/health/ready")
    finally:
        sidecar.kill()
    assert answer.status == 503
    assert answer.body["ready"] is False
    assert answer.body["policies"]["current"] is False
    assert answer.body["why_not"].startswith("the policies have not been known to be current")


def test_old_policies_are_ready_where_nobody_set_how_old_they_may_be(point):
    answer = ask(point.http[0], "/health/ready")
    assert (answer.status, answer.body["ready"], answer.body["why_not"]) == (200, True, "")


def test_it_answers_at_a_unix_socket_and_takes_its_file_away(tmp_path):
    path = tmp_path / "http.sock"
    sidecar = Sidecar(FIXTURE / "policies", "--http-listen", f"unix://{path}")
    try:
        connection = http.client.HTTPConnection("pdp")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(path))
        assert ask("pdp", EVALUATION, GOOD, connection=connection).status == 200
        connection.close()
        assert sidecar.stop() == 0
        assert not path.exists()
    finally:
        sidecar.kill()


def test_an_address_in_use_is_refused_in_words(point):
    command = [sys.executable, "-m", "taskman_authz_sidecar", "--policies"]
    command += [str(FIXTURE / "policies"), "--listen", "127.0.0.1:0"]
    done = subprocess.run(
        [*command, "--http-listen", point.http[0]], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 2
    assert f"{point.http[0]}: address already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_refused_call_is_logged_without_what_it_held(point):
    secret = {**GOOD, "subject": {**ALICE, "properties": {"roles": "hunter2"}}}
    assert ask(point.http[0], EVALUATION, secret, {**JSON, "X-Request-ID": "r-1"}).status == 400
    said = point.wait_for("call refused", request_id="r-1")
    assert (said["face"], said["status"]) == ("http", "INVALID_ARGUMENT")
    assert "hunter2" not in json.dumps(point.said)
