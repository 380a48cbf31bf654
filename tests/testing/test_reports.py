"""A run is told as text, as JUnit XML and as JSON."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest

from taskman_authz.testing import (
    by_file,
    failure_text,
    json_report,
    junit_report,
    load_suites,
    run,
    summary,
    tap_report,
)

from .helpers import POLICIES, write

FILE = """\
company: acme
cases:
  - {name: passes, subject: 'user:1', action: 'notes:read', resource: notes/1, expect: deny}
  - name: "fails & <breaks> \\x01\\uFFFE"
    subject: {type: user, id: "1"}
    action: notes:write
    resource: {type: notes, id: "1", owner: "1"}
    expect: deny
    policy: nothing-after-closing-time
"""
BEGUN = "2026-01-15T10:30:00"


@pytest.fixture
def results(tmp_path):
    return list(run(load_suites([write(tmp_path, FILE)])))


def test_a_failure_names_place_case_expected_actual_and_rule(results, tmp_path):
    text = failure_text(results[1])
    assert text.startswith(f"FAILED {tmp_path}/notes_test.yaml:4: fails & <breaks>")
    assert re.search(r"request +user:1 notes:write notes/1, company acme\n", text)
    assert re.search(r"expected +deny by nothing-after-closing-time\n", text)
    assert re.search(r"actual +allow\n", text)
    assert re.search(r"decided by +owners-write\n", text)
    assert "[allowed_by_policy]" in text


def test_a_default_deny_says_that_nothing_allowed_it(results):
    assert "no policy: nothing that applies allowed it" in failure_text(results[0])


def test_the_summary_counts(results):
    assert summary(results) == "1 passed, 1 failed"
    assert summary(results, 0.126) == "1 passed, 1 failed in 0.13 s"


def test_results_of_a_file_stand_together(results, tmp_path):
    assert by_file(results) == [(str(tmp_path / "notes_test.yaml"), results)]


def test_json_tells_every_case(results, tmp_path):
    report = json.loads(json_report(results))
    assert (report["passed"], report["failed"]) == (1, 1)
    first, second = report["cases"]
    assert (first["name"], first["line"], first["passed"]) == ("passes", 3, True)
    assert second["file"] == str(tmp_path / "notes_test.yaml")
    assert second["expected"] == "deny"
    assert second["expected_policy"] == "nothing-after-closing-time"
    assert second["actual"] == "allow"
    assert second["deciding_policies"] == ["owners-write"]
    assert second["reasons"][0]["code"] == "allowed_by_policy"
    assert re.fullmatch("[0-9a-f]{32}", second["revision"])


def test_a_case_that_failed_by_a_condition_names_the_part_and_what_it_lacked(tmp_path):
    policies = f"""{POLICIES}\
  - id: teams
    effect: deny
    roles: ["*"]
    actions: ["*"]
    resources: ["notes/*"]
    condition: resource.tags.exists(t, t == context.team)
"""
    tests = """\
        cases:
          - name: fails by an error
            subject: {type: user, id: "1"}
            action: notes:write
            resource: {type: notes, id: n1, tags: [a]}
            expect: allow
          - name: passes by one
            subject: {type: user, id: "1"}
            action: notes:write
            resource: {type: notes, id: n1, tags: [a]}
            expect: deny
            reason: denied_by_error
    """
    failed, passed = list(run(load_suites([write(tmp_path, tests, policies)])))
    assert passed.faults == ()
    said = failure_text(failed)
    source = str(tmp_path / "notes.yaml")
    assert f"    {source}:7: `owners-write`: resource.owner: no such key: `'owner'`" in said
    assert f"    {source}:19: `teams`: context.team: no such key: `'team'`" in said
    assert [
        {"policy": "teams", "part": "context.team", "message": "no such key: `'team'`"},
        {"policy": "owners-write", "part": "resource.owner", "message": "no such key: `'owner'`"},
    ] == json.loads(json_report([failed]))["cases"][0]["faults"]
    assert "`teams`: context.team" in tap_report([failed])
    assert "`teams`: context.team" in junit_report([failed], "2026-01-01T00:00:00")


# The schema that build servers check JUnit files by (Apache Ant's): for every element its required
# attributes, its optional ones, and its children in their order, `*` marking any number.
SCHEMA = {
    "testsuites": ((), (), ("testsuite*",)),
    "testsuite": (
        ("name", "package", "id", "timestamp", "hostname", "tests", "failures", "errors", "time"),
        ("skipped",),
        ("properties", "testcase*", "system-out", "system-err"),
    ),
    "properties": ((), (), ("property*",)),
    "testcase": (("name", "classname", "time"), (), ("failure*",)),
    "failure": (("type",), ("message",), ()),
    "system-out": ((), (), ()),
    "system-err": ((), (), ()),
}


def assert_valid(element):
    required, optional, children = SCHEMA[element.tag]
    assert set(required) <= set(element.attrib) <= {*required, *optional}
    pattern = "".join(
        f"(?:{child[:-1]} )*" if child.endswith("*") else f"{child} " for child in children
    )
    assert re.fullmatch(pattern, "".join(f"{child.tag} " for child in element))
    for child in element:
        assert_valid(child)


def test_junit_is_valid(results):
    root = ElementTree.fromstring(junit_report(results, BEGUN))
    assert_valid(root)
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")
    assert suite.get("timestamp") == BEGUN
    assert float(suite.get("time")) >= 0


def test_junit_tells_the_failure(results):
    (failure,) = ElementTree.fromstring(junit_report(results, BEGUN)).iter("failure")
    assert failure.get("message") == "expected deny, got allow"
    assert "owners-write" in failure.text


def test_characters_that_xml_lacks_do_not_break_it(results):
    _, case = ElementTree.fromstring(junit_report(results, BEGUN)).iter("testcase")
    assert case.get("name") == "fails & <breaks> \ufffd\ufffd"


def test_junit_of_nothing_is_valid():
    assert_valid(ElementTree.fromstring(junit_report([], BEGUN)))
