"""Attributes of others: only what a decision needs is asked for, in one call a source; who does not
answer closes, is left alone, and is found again."""

from __future__ import annotations

import json
import threading
import urllib.request
from typing import Any

import grpc
import pytest
from taskman_authz_sidecar.ext_authz import SERVICE

from taskman_authz.decision import Decision
from taskman_authz.envoy.v3 import external_auth_pb2 as envoy
from taskman_authz.request import make_request
from taskman_authz.v1 import authorization_pb2 as messages
from taskman_authz.wire import read_decisions, write_batch, write_check
from tests.control_plane.context.conftest import ANN, TASK, check, codes, sources, until
from tests.control_plane.context.owner import Owner
from tests.sidecar.authority import Authority
from tests.sidecar.conftest import write_policies
from tests.sidecar.ext_authz.test_service import is_allowed, message
from tests.sidecar.process import PATIENCE, SERVING, Sidecar

pytestmark = pytest.mark.process
BOTH = [("user", "1", ("login",)), ("tasks", "7", ("locked", "owner"))]


def batch(sidecar: Sidecar, *ids: str) -> list[Decision]:
    requests = [make_request(ANN, "tasks:edit", f"tasks/{id}", company_id="acme") for id in ids]
    answer = sidecar.call("BatchCheck", write_batch(requests)[0])
    return read_decisions(answer)


def test_what_a_decision_needs_is_asked_for_in_one_call_a_source(policies, owner, start):
    sidecar = start(policies, *sources(owner))
    assert check(sidecar).allowed
    assert owner.asked == [("acme", BOTH)]


def test_nobody_is_asked_for_what_no_condition_with_a_say_reads(policies, owner, start):
    sidecar = start(policies, *sources(owner))
    assert check(sidecar, "tasks:view").allowed
    assert owner.asked == []
    assert not check(sidecar, subject="user:1")  # holds no role: only whether it is locked is read
    assert owner.asked == [("acme", [("tasks", "7", ("locked",))])]


def test_what_a_request_says_counts_and_is_not_asked_for(policies, owner, start):
    sidecar = start(policies, *sources(owner))
    task = {"type": "tasks", "id": "7", "owner": "bob", "locked": False}
    assert codes(check(sidecar, resource=task)) == ["condition_not_met"]
    assert owner.asked == [("acme", [("user", "1", ("login",))])]


def test_sources_are_asked_at_the_same_time(policies, owner, start):
    owner.together = threading.Barrier(2, timeout=PATIENCE)
    other = type(owner)()
    try:
        other.entities, other.together = owner.entities, owner.together
        sidecar = start(
            policies,
            *("--attribute-sources", f"subject:user={owner.address}"),
            *("--attribute-sources", f"resource:tasks={other.address}"),
            *("--attribute-deadline", "30"),
        )
        assert check(sidecar).allowed
        assert (owner.asked, other.asked) == ([("acme", BOTH[:1])], [("acme", BOTH[1:])])
    finally:
        other.stop()


def test_a_batch_asks_for_its_items_at_the_same_time_and_one_that_fails_closes_alone(
    policies, owner, start
):
    owner.together = threading.Barrier(4, timeout=PATIENCE)
    for id in ("8", "9"):
        owner.entities["acme", "tasks", id] = dict(TASK)
    sidecar = start(policies, *sources(owner), "--attribute-deadline", "30")
    assert [bool(each) for each in batch(sidecar, "7", "unknown", "8", "9")] == [
        *(True, False, True, True)
    ]


def test_every_face_decides_with_what_others_know(policies, owner, start):
    sidecar = start(
        *(policies, *sources(owner), "--http-listen", "127.0.0.1:0", "--explain-callers", "*")
    )
    asked = messages.ExplainRequest()
    asked.request.ParseFromString(
        write_check(make_request(ANN, "tasks:edit", "tasks/7", company_id="acme"))
    )
    explained = messages.ExplainResponse.FromString(
        sidecar.call("Explain", asked.SerializeToString())
    )
    assert explained.decision.allowed
    assert [bool(each) for each in batch(sidecar, "7")] == [True]
    question = {
        "subject": {"type": "user", "id": "1", "properties": {"roles": ["developer"]}},
        "action": {"name": "edit"},
        "resource": {"type": "tasks", "id": "7"},
    }
    several = {**question, "evaluations": [{}, {"resource": {"type": "tasks", "id": "0"}}, {}]}
    first = several | {"options": {"evaluations_semantic": "deny_on_first_deny"}}

    def post(path: str, body: object) -> dict:
        url = f"http://{sidecar.http[0]}/acme/access/v1/{path}"
        headers = {"Content-Type": "application/json"}
        sent = urllib.request.Request(url, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(sent, timeout=PATIENCE) as answer:
            return json.load(answer)

    assert post("evaluation", question)["decision"] is True
    decided = post("evaluations", several)["evaluations"]
    assert [each["decision"] for each in decided] == [True, False, True]
    decided = post("evaluations", first)["evaluations"]
    assert [each["decision"] for each in decided] == [True, False]


ROUTES = """\
subjects:
  - {type: user, id: claims.sub, attributes: {roles: claims.roles}}
company: claims.company
routes:
  - {path: "/tasks/{id}", methods: [PUT], action: tasks:edit, resource: "tasks/{id}"}
  - {path: /health, methods: [GET], public: true}
"""


def test_a_proxy_is_answered_with_what_others_know(policies, owner, start, tmp_path):
    table = tmp_path / "routes.yaml"
    table.write_text(ROUTES)
    sidecar = start(policies, *sources(owner), "--ext-authz-routes", str(table))
    claims = {"sub": "1", "roles": ["developer"], "company": "acme"}

    def ask(method: str, path: str) -> envoy.CheckResponse:
        asked = message(method, path, claims).SerializeToString()
        with grpc.insecure_channel(sidecar.address) as channel:
            call = channel.unary_unary(f"/{SERVICE}/Check", None, envoy.CheckResponse.FromString)
            return call(asked, timeout=PATIENCE)

    assert [is_allowed(ask("PUT", f"/tasks/{id}")) for id in ("7", "8")] == [True, False]
    assert is_allowed(ask("GET", "/health"))
    assert len(owner.asked) == 2


def test_a_source_that_is_slow_or_away_closes_is_left_alone_and_found_again(policies, owner, start):
    sidecar = start(
        *(policies, *sources(owner), "--attribute-deadline", "0.1"),
        *("--source-breaker", "1", "--attribute-cache", "off"),
    )
    until(lambda: check(sidecar).allowed, "the source does not answer")
    owner.goes_on.clear()
    for _ in range(6):
        assert codes(check(sidecar)) == ["denied_by_error"]
    sidecar.wait_for("circuit of a source", state="open")
    before = len(owner.asked)
    assert codes(check(sidecar)) == ["denied_by_error"]
    assert len(owner.asked) == before  # it is left alone
    owner.goes_on.set()
    for _ in range(3):  # so many probe it until it is asked as before
        until(lambda: check(sidecar).allowed, "the source is not asked again")
    sidecar.wait_for("circuit of a source", state="closed")
    owner.stop()
    assert codes(check(sidecar)) == ["denied_by_error"]
    owner.start()
    until(lambda: check(sidecar).allowed, "the source is not found again")
    assert check(sidecar, "tasks:view").allowed


def nested(answer: Any) -> None:
    struct = answer.entities[0].properties
    for _ in range(200):
        struct = struct.fields["a"].struct_value
    struct.SetInParent()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda answer: answer.entities.add(), "expected 2 entities, found 3"),
        (lambda answer: answer.ClearField("entities"), "expected 2 entities, found 0"),
        (
            lambda answer: answer.entities[0].properties.update({"login": "x" * 5_000_000}),
            "EXHAUST",
        ),
        (lambda answer: answer.entities[0].properties.fields["more"], "holds a value of no kind"),
        (nested, "cannot be parsed"),
        (lambda _answer: 1 / 0, "UNKNOWN"),
    ],
)
def test_an_answer_that_is_not_what_was_asked_for_closes(spoil, why, policies, owner, start):
    sidecar = start(policies, *sources(owner))
    owner.spoil = spoil
    assert codes(check(sidecar)) == ["denied_by_error"]
    assert why in sidecar.wait_for("a source of attributes does not answer")["why"]
    owner.spoil = lambda _answer: None
    assert check(sidecar).allowed


LENIENT = """\
policies:
  - {id: all, effect: allow, roles: [developer], actions: ["tasks:edit"], resources: ["tasks/*"]}
  - id: locked
    effect: deny
    roles: [developer]
    actions: ["tasks:edit"]
    resources: ["tasks/*"]
    condition: has(resource.locked) && resource.locked
"""


def test_where_a_condition_asks_whether_something_is_there_a_source_that_is_away_closes_too(
    policies, owner, start, tmp_path
):
    write_policies(policies, LENIENT)
    log = tmp_path / "decisions.jsonl"
    flags = ("--attribute-cache", "off", "--decision-log", str(log), "--explain-callers", "*")
    sidecar = start(policies, *sources(owner), *flags)
    assert check(sidecar).allowed
    del owner.entities["acme", "tasks", "7"]["locked"]
    assert check(sidecar).allowed  # it is known not to be there
    owner.stop()
    assert codes(check(sidecar)) == ["unavailable"]
    given = {"type": "tasks", "id": "7", "locked": False}
    assert check(sidecar, resource=given).allowed
    asked = messages.ExplainRequest()
    asked.request.ParseFromString(
        write_check(make_request(ANN, "tasks:edit", "tasks/7", company_id="acme"))
    )
    with pytest.raises(grpc.RpcError) as caught:
        sidecar.call("Explain", asked.SerializeToString())
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert sidecar.stop() == 0
    logged = [json.loads(line) for line in log.read_text().splitlines()]
    answers = [each["allowed"] for each in logged if "allowed" in each]
    assert answers == [True, True, False, True]


def test_the_deadline_of_a_call_bounds_what_sources_have(policies, owner, start):
    sidecar = start(policies, *sources(owner), "--attribute-deadline", "60")
    owner.goes_on.clear()
    try:  # where the sidecar is the first to see that the time is over, it closes
        assert codes(check(sidecar, timeout=0.3)) == ["denied_by_error"]
    except grpc.RpcError as error:
        assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert check(sidecar, "tasks:view").allowed
    owner.goes_on.set()
    assert check(sidecar).allowed  # who gave up said nothing of the source


def test_without_events_attributes_are_remembered_no_longer_than_they_are_trusted(
    policies, owner, start
):
    trusting = start(policies, *sources(owner), "--cache-trust", "600")
    sidecar = start(policies, *sources(owner), "--cache-trust", "2")
    assert check(trusting).allowed and check(sidecar).allowed
    before = len(owner.asked)
    assert check(trusting).allowed
    assert len(owner.asked) == before
    owner.entities["acme", "tasks", "7"]["locked"] = True
    until(lambda: codes(check(sidecar)) == ["denied_by_policy"], "it is remembered for ever")


def test_a_source_over_tls_learns_who_asks_and_is_asked_only_where_it_is_the_right_one(
    policies, owner, start, tmp_path
):
    authority = Authority()
    served, ours = authority.issue(), authority.issue(common_name="sidecar")
    safe = Owner(
        grpc.ssl_server_credentials([(served.key, served.certificate)], authority.pem, True)
    )
    safe.entities = owner.entities
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    (tmp_path / "other.pem").write_bytes(Authority().pem)
    _, certificate, _, key = ours.write(tmp_path)
    identity = ("--source-cert", certificate, "--source-key", key)
    try:
        known = start(policies, *sources(safe), "--source-ca", str(tmp_path / "ca.pem"), *identity)
        assert check(known).allowed
        for flags in (("ca.pem", ()), ("other.pem", identity)):
            ca, shown = str(tmp_path / flags[0]), flags[1]
            stranger = start(policies, *sources(safe), "--source-ca", ca, *shown)
            assert codes(check(stranger)) == ["denied_by_error"]
        assert len(safe.asked) == 1
    finally:
        safe.stop()


def test_sources_are_shown_the_token_that_is_theirs_as_it_is_now(policies, owner, start, tmp_path):
    token = tmp_path / "token"
    token.write_text("first\n")
    shown = ("--source-token", f"file:{token}", "--attribute-cache", "off")
    sidecar = start(policies, *sources(owner), "--roles-source", owner.address, *shown)
    sidecar.wait_for_health("", SERVING)
    assert check(sidecar).allowed
    assert set(owner.shown) == {"Bearer first"}
    assert owner.snapshots == 1
    token.write_text("second\n")

    def shows_the_second() -> bool:
        return check(sidecar).allowed and owner.shown[-1] == "Bearer second"

    until(shows_the_second, "the new token is not shown")
    token.write_text("two words\n")
    sidecar.wait_for("token for sources refused, the last good one stays")
    assert check(sidecar).allowed
    assert owner.shown[-1] == "Bearer second"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--decision-cache", "memory"], "--decision-cache needs --amqp"),
        (["--attribute-sources", "subject:user=x:1"], "subject:user` has two sources"),
        (["--attribute-sources", "user=x:1"], "expected `subject:user=host:port`"),
        (["--attribute-ttl", "subject=long"], "expected seconds after `=`"),
        (["--entity-events", "user=subject:user"], "expected `user.events/user=subject:user`"),
        (["--attribute-cache", "redis"], "a cache in Redis needs --redis"),
        (["--source-token", "two words"], "--source-token: expected a token"),
        (["--source-cert", "x.pem"], "TLS to sources needs --source-ca"),
        (["--attribute-sources", "subject:team=users.internal:1"], "other machines; give --source"),
        (
            ["--decision-cache", "memory", "--amqp", "amqp://x", "--decision-log", "/dev/null"],
            "does not go with --decision-log",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_words(policies, owner, flags, said, start):
    with pytest.raises(AssertionError, match=said):
        start(policies, *sources(owner), *flags)
