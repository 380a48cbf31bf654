"""A test file becomes cases, or issues with their places."""

from __future__ import annotations

import pytest

from taskman_authz.errors import CompileError
from taskman_authz.limits import DEFAULT
from taskman_authz.testing import load_suites

from .helpers import issues, write

FILE = """\
now: 2026-01-01T10:00:00.000000001Z
company: acme
fixtures:
  subjects:
    member: {type: user, id: "1", roles: [member]}
    by-name: user:2
  resources:
    note: {type: notes, id: n1, owner: "1"}
  contexts:
    office: {ip: 10.0.0.7}
cases:
  - name: by fixtures
    subject: member
    action: notes:read
    resource: note
    context: office
    expect: allow
    policy: members-read
  - name: by themselves
    subject: {type: user, id: "3"}
    action: {name: notes:read, urgent: true}
    resource: notes/n2
    context: {ip: 10.0.0.8}
    company: globex
    now: 2026-01-01T11:00:00+01:00
    expect: deny
  - name: without a company
    subject: by-name
    action: notes:read
    resource: note
    company: null
    expect: deny
matrix:
  - name: notes
    subjects: [member, user:9]
    actions: ["notes:read", "notes:write"]
    resources: [note, notes/n2]
    allow:
      member:
        note: "*"
        notes/n2: ["notes:read"]
"""


def cases(tmp_path, tests):
    (suite,) = load_suites([write(tmp_path, tests)])
    return {case.name: case for case in suite.cases}


def test_fixtures_are_looked_up(tmp_path):
    case = cases(tmp_path, FILE)["by fixtures"]
    assert (case.request.subject_id, case.request.roles) == ("1", ("member",))
    assert case.request.resource["owner"] == "1"
    assert case.request.context == {"ip": "10.0.0.7"}
    assert case.request.company_id == "acme"
    assert (case.expected, case.policy) == ("allow", "members-read")


def test_what_a_case_says_itself_counts(tmp_path):
    request = cases(tmp_path, FILE)["by themselves"].request
    assert (request.subject_id, request.resource_id) == ("3", "n2")
    assert request.action == "notes:read"
    assert request.action_attributes["urgent"] is True
    assert request.context == {"ip": "10.0.0.8"}
    assert request.company_id == "globex"
    assert request.now == 1_767_261_600_000_000_000


def test_a_case_may_ask_without_a_company(tmp_path):
    case = cases(tmp_path, FILE)["without a company"]
    assert case.request.company_id is None
    assert case.request.subject_type == "user"


def test_the_clock_is_frozen_to_the_nanosecond(tmp_path):
    assert cases(tmp_path, FILE)["by fixtures"].request.now % 1_000_000_000 == 1


def test_the_clock_has_a_default(tmp_path):
    (case,) = cases(
        tmp_path,
        "cases: [{name: a, subject: 'user:1', action: 'a:b', resource: a/1, expect: deny}]",
    ).values()
    assert case.request.now == 1_767_225_600_000_000_000
    assert case.request.context is None
    assert case.request.company_id is None


def test_a_case_knows_its_line(tmp_path):
    case = cases(tmp_path, FILE)["by themselves"]
    assert (case.place.source, case.place.line) == (str(tmp_path / "notes_test.yaml"), 19)


def test_a_matrix_is_every_combination_and_denies_what_it_does_not_list(tmp_path):
    found = {
        name.removeprefix("notes: "): case.expected
        for name, case in cases(tmp_path, FILE).items()
        if name.startswith("notes: ")
    }
    assert found == {
        "member notes:read note": "allow",
        "member notes:write note": "allow",
        "member notes:read notes/n2": "allow",
        "member notes:write notes/n2": "deny",
        "user:9 notes:read note": "deny",
        "user:9 notes:write note": "deny",
        "user:9 notes:read notes/n2": "deny",
        "user:9 notes:write notes/n2": "deny",
    }


def test_an_allowed_cell_knows_where_it_is_allowed(tmp_path):
    found = cases(tmp_path, FILE)
    assert found["notes: member notes:read notes/n2"].place.line == 41
    assert found["notes: member notes:write notes/n2"].place.line == 34  # the matrix' name


def test_policies_are_those_of_the_folder(tmp_path):
    (suite,) = load_suites([write(tmp_path, FILE)])
    assert {rule.id for rule in suite.policies.rules} == {
        "members-read",
        "owners-write",
        "nothing-after-closing-time",
    }


def test_policies_are_those_that_are_named_relative_to_the_file(tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "one.yaml").write_text(
        "policies: [{id: members-read, effect: allow, actions: ['*'], resources: ['*']}]"
    )
    (suite,) = load_suites([write(tmp_path, "policies: [other/one.yaml]\n" + FILE)])
    assert [rule.id for rule in suite.policies.rules] == ["members-read"]


def test_files_about_the_same_policies_share_them(tmp_path):
    write(tmp_path, FILE)
    (tmp_path / "more_test.yaml").write_text(FILE)
    first, second = load_suites([str(tmp_path)])
    assert first.policies is second.policies


QUOTED = "'user:1'"
CASE = "{name: a, subject: 'user:1', action: 'notes:read', resource: notes/1, expect: deny}"
TIME = "is not a time such as `2026-01-15T10:30:00Z`"

# A test file with » where the caret is expected, the code, the message, the hint (None: any).
WRONG = [
    ("»", "no_cases", "a test file without a case", ""),
    ("»cases: []", "no_cases", "a test file without a case", ""),
    ("cases: [»", "malformed_yaml", None, ""),
    (f"»case: [{CASE}]", "unknown_key", "unknown key `case`", "did you mean `cases`?"),
    (
        "cases:\n  - »name: a\n    subject: user:1\n    action: notes:read\n    expect: deny",
        "missing_key",
        "the key `resource` is missing",
        "",
    ),
    (
        f"cases: [{CASE[:-1]}, »polcy: x}}]",
        "unknown_key",
        "unknown key `polcy`",
        "did you mean `policy`?",
    ),
    (
        f"cases: [{CASE.replace('deny', '»denied')}]",
        "bad_value",
        "expected `allow` or `deny`, found `denied`",
        "did you mean `deny`?",
    ),
    (
        f"fixtures: {{subjects: {{member: user:1}}}}\ncases:\n  - {CASE.replace(QUOTED, '»membr')}",
        "unknown_fixture",
        "no fixture subject `membr`",
        "did you mean `member`?",
    ),
    (
        f"cases: [{CASE.replace('notes/1', '»note')}]",
        "unknown_fixture",
        "no fixture resource `note`",
        "",
    ),
    (
        f"cases: [{CASE[:-1]}, context: »office}}]",
        "unknown_fixture",
        "no fixture context `office`",
        "",
    ),
    (
        f"cases: [{CASE.replace('notes/1', '»[1]')}]",
        "bad_value",
        "expected the name of a fixture, `kind/id`, or a map",
        "",
    ),
    (f"cases: [{CASE[:-1]}, now: »today}}]", "invalid_time", f"`today` {TIME}", ""),
    (f"now: »2026-01-15\ncases: [{CASE}]", "invalid_time", f"`2026-01-15` {TIME}", ""),
    (
        f"cases: [{CASE.replace(QUOTED, '»{type: user, id: 1}')}]",
        "invalid_request",
        "subject.id: expected a string, found a value of type int",
        "",
    ),
    (f"policies: »[elsewhere.yaml]\ncases: [{CASE}]", "no_policies", None, ""),
    (f"cases: [{CASE}]\n---\n»cases: [{CASE}]", "bad_value", None, ""),
]


@pytest.mark.parametrize(("marked", "code", "message", "hint"), WRONG)
def test_what_is_wrong_is_told_at_its_place(tmp_path, marked, code, message, hint):
    before, _, after = marked.partition("»")
    (found,) = issues(tmp_path, before + after)
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    assert found == (line, column, code, found[3] if message is None else message, hint)


MATRIX = """\
matrix:
  - name: notes
    subjects: ["user:1"]
    actions: ["notes:read"]
    resources: ["notes/1"]
    allow:
      {}
"""


@pytest.mark.parametrize(
    ("allow", "message"),
    [
        ('"user:2": {"notes/1": "*"}', "`user:2` is not one of the matrix's subjects"),
        ('"user:1": {"notes/2": "*"}', "`notes/2` is not one of the matrix's resources"),
        (
            '"user:1": {"notes/1": ["notes:raed"]}',
            "`notes:raed` is not one of the matrix's actions",
        ),
        ('"user:1": {"notes/1": [[]]}', "`[]` is not one of the matrix's actions"),
        ('"user:1": {"notes/1": all}', 'expected a list of actions, or "*" for all of them'),
    ],
)
def test_a_cell_that_no_question_reaches_is_refused(tmp_path, allow, message):
    (found,) = issues(tmp_path, MATRIX.format(allow))
    assert (found[0], found[3]) == (7, message)


def test_a_matrix_has_a_limit(tmp_path):
    many = [f"user:{number}" for number in range(DEFAULT.test_cases + 1)]
    (found,) = issues(tmp_path, MATRIX.format("{}").replace('["user:1"]', str(many)))
    assert found[2] == "too_many_cases"


def test_everything_that_is_wrong_is_told_at_once(tmp_path):
    tests = f"""\
    now: today
    cases:
      - {CASE.replace("user:1", "member").replace("notes/1", "note")}
      - {CASE[:-1]}, context: office}}
    """
    policies = "policies: [{id: a, effect: allow, actions: [], resources: ['*']}]"
    codes = [found[2] for found in issues(tmp_path, tests, policies)]
    assert sorted(codes) == [
        "bad_value",
        "invalid_time",
        "unknown_fixture",
        "unknown_fixture",
        "unknown_fixture",
    ]


def test_a_wrong_policy_is_told_once_though_two_tests_are_about_it(tmp_path):
    policies = "policies: [{id: a, effect: maybe, actions: ['*'], resources: ['*']}]"
    write(tmp_path, FILE, policies)
    (tmp_path / "more_test.yaml").write_text(FILE)
    with pytest.raises(CompileError) as caught:
        load_suites([str(tmp_path)])
    assert len(caught.value.issues) == 1


def test_a_file_that_is_not_utf_8_is_refused_at_its_line(tmp_path):
    path = tmp_path / "a_test.yaml"
    path.write_bytes(b"cases:\n- \xff")
    with pytest.raises(CompileError) as caught:
        load_suites([str(path)])
    (issue,) = caught.value.issues
    assert (issue.place.line, issue.message) == (2, "not UTF-8")


# -- fixtures that files share ---------------------------------------------------------------------

SHARED = """\
fixtures:
  subjects:
    member: {type: user, id: "1", roles: [member]}
  resources:
    note: {type: notes, id: n1, owner: "1"}
"""
IMPORTING = """\
imports: [shared_fixtures.yaml]
cases:
  - {name: read, subject: member, action: 'notes:read', resource: note, expect: allow}
"""


def test_fixtures_are_imported_and_are_no_policies(tmp_path):
    (tmp_path / "shared_fixtures.yaml").write_text(SHARED)
    found = cases(tmp_path, IMPORTING)["read"]
    assert (found.request.subject_id, found.request.resource_id) == ("1", "n1")
    (suite,) = load_suites([str(tmp_path)])
    assert suite.imports == (str(tmp_path / "shared_fixtures.yaml"),)


def test_a_fixture_is_given_once(tmp_path):
    (tmp_path / "shared_fixtures.yaml").write_text(SHARED)
    own = "fixtures:\n  subjects:\n    member: user:2\n"
    found = issues(tmp_path, IMPORTING + own)
    assert found == [(6, 5, "duplicate_fixture", "the fixture `member` is given twice", "")]


def test_what_is_wrong_with_imported_fixtures_is_told_in_their_file(tmp_path):
    (tmp_path / "shared_fixtures.yaml").write_text("fixtures: {subjcts: {}}\n")
    (tmp_path / "b_test.yaml").write_text(IMPORTING)
    with pytest.raises(CompileError) as caught:
        load_suites([write(tmp_path, IMPORTING), str(tmp_path / "b_test.yaml")])
    shared = [issue for issue in caught.value.issues if "shared" in issue.place.source]
    assert [(issue.code, issue.hint) for issue in shared] == [
        ("unknown_key", "did you mean `subjects`?")
    ]


def test_a_file_of_fixtures_that_is_not_there_is_named(tmp_path):
    (found,) = [each for each in issues(tmp_path, IMPORTING) if each[2] == "unreadable"]
    assert found[3] == "cannot be read: no such file or directory"


def test_a_misspelt_role_of_an_imported_fixture_is_told(tmp_path):
    (tmp_path / "shared_fixtures.yaml").write_text(SHARED.replace("[member]", "[membr]"))
    policies = "roles: [{name: member}]\npolicies: []\n"
    (found,) = [each for each in issues(tmp_path, IMPORTING, policies) if each[2] == "unknown_role"]
    assert found[4] == "did you mean `member`?"


def test_a_matrix_names_the_reason_of_its_denials(tmp_path):
    text = """\
matrix:
  - name: all
    subjects: [user:1]
    actions: ["notes:read"]
    resources: [notes/1]
    reason: no_policy_applies
    allow: {}
"""
    assert [each.reason for each in cases(tmp_path, text).values()] == ["no_policy_applies"]


def test_a_reason_that_there_is_not_is_refused(tmp_path):
    (found,) = issues(tmp_path, IMPORTING.replace("expect: allow", "expect: deny, reason: no"))
    assert found[2] == "bad_value"
