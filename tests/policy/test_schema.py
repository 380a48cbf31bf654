"""Policies over a schema: what is refused when they are compiled, and how what is sent is read."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from taskman_authz import PDP, CompileError, Schema, compile_documents
from taskman_authz.policy.lint import lint
from taskman_authz.policy.schema_document import SchemaDocument, read_schema
from tests.house.readme import blocks
from tests.policy.helpers import document, pointed_at, policy

SCHEMA = """
subjects:
  user: {department?: string, level: int}
  service: {}
resources:
  tasks:
    actions: [view, edit]
    attributes:
      owner: string
      due?: timestamp
      spent: duration
      size: double
      count: uint
      dates: list(timestamp)
      meta: {until: timestamp, level?: int}
      shares: [{user: string, until: timestamp}]
  notes:
    actions: [view, "tasks:link"]
    attributes: {owner: string, due: string, size: double}
context: {department: string, ip?: string}
fallbacks: {subject.department: context.department}
"""
NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)
TASK = {
    "type": "tasks",
    "id": "1",
    "owner": "ann",
    "due": "2026-02-01T00:00:00Z",
    "spent": "90m",
    "size": 2,
    "count": 3,
    "dates": ["2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"],
    "meta": {"until": "2026-02-01T00:00:00Z"},
    "shares": [{"user": "bob", "until": "2026-02-01T00:00:00Z"}],
}
ANN = {"type": "user", "id": "ann", "roles": ["dev"]}


def pdp(*policies: dict[str, Any], schema: str = SCHEMA) -> PDP:
    return PDP(compile_documents([("p/a.yaml", document(*policies)), ("p/schema.yaml", schema)]))


def on_tasks(condition: str, **fields: Any) -> dict[str, Any]:
    return policy(condition=condition, actions=["tasks:*"], resources=["tasks/*"], **fields)


def refused(*policies: dict[str, Any]) -> list[Any]:
    with pytest.raises(CompileError) as caught:
        pdp(*policies)
    return list(caught.value.issues)


def answer(condition: str, *, task: Any = TASK, subject: Any = ANN, context: Any = None) -> str:
    """`yes`, or the code of the first reason."""
    context = {"department": "it"} if context is None else context
    decision = pdp(on_tasks(condition)).check(subject, "tasks:edit", task, context, now=NOW)
    return "yes" if decision else decision.reasons[0].code


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "code", "at", "hint"),
    [
        ("resource.ownr == subject.id", "undefined_field", "ownr", "did you mean `owner`?"),
        ("has(resource.ownr)", "undefined_field", "ownr", "did you mean `owner`?"),
        ("resource.?ownr.hasValue()", "undefined_field", "ownr", "did you mean `owner`?"),
        ("resource.meta.levle == 1", "undefined_field", "levle", "did you mean `level`?"),
        ("context.pi == 'x'", "undefined_field", "pi", ""),
        ("subject.level == 'high'", "no_matching_overload", "==", "dyn("),
        ("resource.due > '2026'", "no_matching_overload", ">", "timestamp"),
        ("resource.dates.exists(d, d > 1.5)", "no_matching_overload", "> 1.5", "timestamp"),
        ("resource.owner", "not_bool", "resource", ""),
        ("resource.owner.matches('a(b')", "invalid_regex", "(b')", ""),
        ("resource.due - now < duration('1x')", "invalid_argument", "'1x'", ""),
        ("now < timestamp('2026-02-30T00:00:00Z')", "invalid_argument", "'2026", ""),
        ("has(resource.due) && !has(resource.due)", "always_false", "resource", "never both"),
    ],
)
def test_mistake_is_told_at_its_place_with_a_suggestion(
    condition: str, code: str, at: str, hint: str
) -> None:
    (issue,) = refused(on_tasks(condition))
    assert (issue.code, issue.place.source) == (code, "p/a.yaml")
    assert pointed_at(issue, len(at)) == at
    assert hint in issue.hint


def test_one_of_each_mistake_is_told_where_it_stands() -> None:
    """The example says behind each mistake which it is."""
    folder = Path(__file__).parents[2] / "examples" / "typed_mistakes"
    text = (folder / "policies.yaml").read_text()
    expected = [
        (number, line.rpartition("# ")[2])
        for number, line in enumerate(text.splitlines(), 1)
        if "  # " in line
    ]
    with pytest.raises(CompileError) as caught:
        PDP.from_path(folder)
    assert [(each.place.line, each.code) for each in caught.value.issues] == expected


def test_action_and_kind_that_do_not_exist_are_refused() -> None:
    wrong = policy(actions=["tasks:edti", "nots:*", "*:link"], resources=["note/1", "tasks/*"])
    assert [(each.code, each.hint) for each in refused(wrong)] == [
        ("unknown_action", "did you mean `tasks:edit`?"),
        ("unknown_action", "did you mean `notes:view`?"),
        ("unknown_kind", "did you mean `notes/1`?"),
    ]


def test_pattern_that_is_none_is_told_once() -> None:
    wrong = policy(actions=["**", "tasks"], resources=["**", "tasks"], condition="resource.x")
    assert [each.code for each in refused(wrong)] == ["bad_pattern"] * 4


def test_attribute_of_one_of_the_kinds_that_a_policy_reaches_may_be_read() -> None:
    assert pdp(policy(condition="resource.spent > duration('1h')", resources=["*"]))
    (issue,) = refused(policy(condition="resource.spent > duration('1h')", resources=["notes/*"]))
    assert issue.code == "undefined_field"


def test_attribute_whose_types_differ_is_any_value() -> None:
    everywhere = policy(condition="resource.due == 'x' || resource.due == 1", resources=["*"])
    assert pdp(everywhere)


def test_schema_holds_for_its_folder_and_below_and_nowhere_else() -> None:
    wrong = document(on_tasks("resource.ownr == 'x'"))
    texts = [("p/schema.yaml", SCHEMA), ("other/a.yaml", wrong)]
    assert len(compile_documents(texts)) == 1
    for name in ("p/a.yaml", "p/q/r/a.yaml", "p\\q\\a.yaml"):
        with pytest.raises(CompileError):
            compile_documents([("p/schema.yaml", SCHEMA), (name, wrong)])
    nearer = ("p/q/schema.yml", "context: {}")
    assert compile_documents([("p/schema.yaml", SCHEMA), nearer, ("p/q/a.yaml", wrong)])


def test_section_that_is_left_out_is_not_checked() -> None:
    open_policy = policy(condition="resource.a == context.b && subject.c", actions=["x:y"])
    assert pdp(open_policy, schema="action: {}")
    with pytest.raises(CompileError):
        pdp(open_policy, schema="context: {}")


# -- how what is sent is read ------------------------------------------------------------------


@pytest.mark.parametrize(
    "condition",
    [
        "resource.due > now",
        "(resource).due > now",
        "resource . due > now",
        "resource.?due.orValue(now) > now",
        "resource.due - now < duration('720h')",
        "resource.spent == duration('1h30m')",
        "resource.size * 1.5 == 3.0",
        "resource.count + 1u == 4u",
        "resource.meta.until > now",
        "resource.?meta.until.orValue(now) > now",
        "resource.dates[1] > now && resource.dates[0] < now",
        "resource.dates.exists(date, date > now)",
        "timestamp('2027-01-01T00:00:00Z') in resource.dates",
        "resource.shares.exists(share, share.user == 'bob' && share.until > now)",
        "resource.shares.filter(share, share.user == 'bob').exists(own, own.until > now)",
        "cel.bind(meta, resource.meta, meta.until > now)",
        "cel.bind(due, resource.due, due > now)",
        "resource.due != null",
        "[resource].exists(resource, resource.due == '2026-02-01T00:00:00Z')",
    ],
)
def test_text_is_read_as_the_time_that_the_schema_says(condition: str) -> None:
    assert answer(condition) == "yes"


def test_value_that_is_no_time_fails_and_closes() -> None:
    wrong = {**TASK, "due": "tomorrow"}
    assert answer("resource.due > now", task=wrong) == "condition_failed"
    guard = on_tasks("resource.due < now", effect="deny")
    decision = pdp(policy("all"), guard | {"id": "guard"}).check(ANN, "tasks:edit", wrong)
    assert decision.reasons[0].code == "denied_by_error"


def test_python_values_are_read_as_they_are() -> None:
    assert answer("resource.due > now", task={**TASK, "due": datetime(2027, 1, 1, tzinfo=UTC)})


@pytest.mark.parametrize(
    "condition",
    [
        "subject.department == 'it'",
        "has(subject.department) && subject.department == 'it'",
        "has( subject.department // or the other\n ) && subject.department == 'it'",
        "subject.?department.orValue('none') == 'it'",
        "subject.`department` == 'it' && has(subject.`department`)",
    ],
)
def test_attribute_falls_back_to_the_context_where_the_schema_says_so(condition: str) -> None:
    assert answer(condition) == "yes"
    assert answer(condition, subject={**ANN, "department": "it"}, context={}) == "yes"
    assert answer(condition, subject={**ANN, "department": "hr"}) == "condition_not_met"
    assert answer(condition, context={}) != "yes"


@pytest.mark.parametrize(
    "condition",
    [
        "[{'department': 'x'}].exists(subject, subject.department == 'x')",
        "[{'department': 'x'}].exists(context, subject.department == 'it')",
        "[{'department': 'x'}].exists(context, has(subject.department))",
    ],
)
def test_variable_of_a_macro_is_no_attribute(condition: str) -> None:
    assert answer(condition) == "yes"


def test_revision_covers_what_the_schema_changes_of_a_decision() -> None:
    def revision(schema: str) -> str:
        return pdp(on_tasks("resource.due == resource.due2"), schema=schema).policies.revision

    texts = [
        "resources: {tasks: {actions: [view], attributes: {" + attributes + "}}}"
        for attributes in (
            "due: string, due2: string",
            "due: timestamp, due2: timestamp",
            "due: string, due2: string, more: int",
        )
    ]
    plain, times, unread = map(revision, texts)
    assert plain != times
    assert plain == unread


# -- what a schema may say ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "at"),
    [
        ("subjects: {user: {a: strng}}", "bad_type", "strng"),
        ("subjects: {user: {a: 'list(int'}}", "bad_type", "'}}"),
        ("subjects: {user: {id: string}}", "bad_name", "id"),
        ("subjects: {user: {roles: string}}", "bad_type", "string"),
        ("subjects: {'a:b': {}}", "bad_name", "'a:b'"),
        ("context: {a-b: int}", "bad_name", "a-b"),
        ("context: {a: int, a?: int}", "duplicate_key", "a?"),
        ("context: {a: 'map(string, timestamp)'}", "bad_type", "map"),
        ("context: {a: 'type(int)'}", "bad_type", "type"),
        ("context: {a: []}", "bad_type", "[]"),
        ("context: {a: 1}", "bad_type", "1"),
        ("context: {a: {b: {c: nope}}}", "bad_type", "nope"),
        ("resources: {t: {attributes: {}}}", "missing_key", "{attributes"),
        ("resources: {t: {actions: []}}", "bad_value", "[]"),
        ("resources: {t: {actions: [a*]}}", "bad_name", "a*"),
        ("resources: {t/u: {actions: [a]}}", "bad_name", "t/u"),
        ("resources: {t: {actions: [a], atributes: {}}}", "unknown_key", "atributes"),
        ("resource: {}", "unknown_key", "resource"),
        ("subjects: {u: {a: int}}\nfallbacks: {subject.b: context.c}", "bad_fallback", "subject.b"),
        ("fallbacks: {subject.b: subject.c}", "bad_fallback", "subject.b"),
        ("subjects: {u: {}}\nfallbacks: {subject.roles: context.r}", "bad_fallback", "subject.r"),
        ("fallbacks: {subject.roles: context.r}", "bad_fallback", "subject.r"),
        ("fallbacks: {subject.id: context.r}", "bad_fallback", "subject.id"),
        (
            "subjects: {u: {a: int}}\ncontext: {a: string}\nfallbacks: {subject.a: context.a}",
            "bad_fallback",
            "context.a",
        ),
        ("context: ]", "malformed_yaml", "]"),
        ("context: {}\n---\ncontext: {}", "bad_value", "context"),
    ],
)
def test_mistake_in_a_schema_is_told_at_its_place(text: str, code: str, at: str) -> None:
    _, (issue,) = read_schema("schema.yaml", text)
    assert (issue.code, pointed_at(issue, len(at))) == (code, at)


def test_documents_in_pages_are_what_they_say_they_are() -> None:
    root = Path(__file__).parents[2]
    pages = [root / "README.md", *(root / "docs").glob("*.md")]
    texts = [block.text for page in pages for block in blocks(page) if block.info == "yaml"]
    (types,) = (text for text in texts if text.startswith("subjects:\n  user:"))
    assert read_schema("schema.yaml", types)[1] == []
    whole = [text for text in texts if "policies:\n  - " in text and "cases:" not in text]
    assert len(whole) >= 4
    for text in whole:
        compile_documents([("a.yaml", text), ("common.yaml", "company: other")])


def test_two_schemas_in_one_folder_are_refused() -> None:
    with pytest.raises(CompileError) as caught:
        compile_documents([("schema.yaml", "context: {}"), ("schema.yml", "context: {}")])
    assert [each.code for each in caught.value.issues] == ["duplicate_schema"]


def test_sections_are_those_of_the_document() -> None:
    assert {*SchemaDocument.model_fields} == {
        "subjects",
        "resources",
        "action",
        "context",
        "fallbacks",
    }


# -- schemas of Python's types -----------------------------------------------------------------


class User(BaseModel):
    department: str | None = None


@dataclasses.dataclass
class Task:
    owner: str
    due: datetime | None = None


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    author: Mapped[str]
    size: Mapped[float]
    seen: Mapped[datetime | None]


FILE = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "made": {"type": "string", "format": "date-time"}},
    "required": ["name"],
}
MODELS = Schema.of(
    subjects={"user": User},
    resources={
        "tasks": (["edit"], Task),
        "notes": (["edit"], Note),
        "files": (["edit", "files:read"], FILE),
    },
    context={"ip": "string"},
)


@pytest.mark.parametrize(
    ("condition", "kind", "code"),
    [
        ("subject.department == 'it' && resource.owner == subject.id", "tasks", ""),
        ("resource.due == null || resource.due > now", "tasks", ""),
        ("resource.seen == null || resource.seen > now", "notes", ""),
        ("resource.size / 2.0 < 1.0", "notes", ""),
        ("resource.name == 'a' && timestamp(resource.made) < now", "files", ""),
        ("resource.nmae == 'a'", "files", "undefined_field"),
        ("resource.author == 1", "notes", "no_matching_overload"),
        ("resource.owner == 'x'", "notes", "undefined_field"),
        ("subject.departmnt == 'x'", "tasks", "undefined_field"),
        ("context.ip == 1", "tasks", "no_matching_overload"),
    ],
)
def test_models_of_programs_are_a_schema(condition: str, kind: str, code: str) -> None:
    text = document(policy(condition=condition, resources=[f"{kind}/*"]))
    codes: list[str] = []
    try:
        compile_documents([("a.yaml", text)], schema=MODELS)
    except CompileError as error:
        codes = [issue.code for issue in error.issues]
    assert codes == ([code] if code else [])


def test_objects_are_decided_about_as_their_models_say(tmp_path: Path) -> None:
    condition = "resource.due == null || resource.due > now"
    text = document(policy(condition=condition, resources=["tasks/*"]))
    (tmp_path / "a.yaml").write_text(text)
    decides = PDP.from_path(tmp_path, schema=MODELS)
    for due, allowed in ((None, True), (datetime(2027, 1, 1, tzinfo=UTC), True), (NOW, False)):
        task = {"type": "tasks", "id": "1", "owner": "a", "due": due}
        assert decides.check("user:1", "tasks:edit", task, now=NOW).allowed is allowed


def test_a_name_that_ends_in_a_question_mark_may_be_absent_in_a_mapping_too() -> None:
    schema = Schema.of(subjects={"user": {"level?": "int"}})
    text = document(policy(condition="has(subject.level) && subject.level > 3"))
    assert compile_documents([("a.yaml", text)], schema=schema)


def test_type_that_nobody_declares_is_refused_in_a_mapping_too() -> None:
    with pytest.raises(CompileError, match="unknown type `integer`") as caught:
        Schema.of(subjects={"user": {"levels": "list(integer)"}})
    (issue,) = caught.value.issues
    assert (issue.place.source, issue.place.column) == ("<type of user.levels>", 6)


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("subject.a", "context.b + 1"),
        ("subject.roles", "context.roles"),  # with which a caller would give itself roles
        ("subject.type", "context.type"),
    ],
)
def test_fallback_that_is_none_is_refused(written: str, instead: str) -> None:
    with pytest.raises(CompileError, match="bad_fallback"):
        Schema.of(fallbacks={written: instead})


def nested(kind: str, levels: int) -> str:
    """A condition that nests so deep."""
    text = "resource.due > now"
    for level in range(levels):
        text = {
            "not": f"!({text})",
            "junction": f"({text} {'&&' if level % 2 else '||'} context.x{level})",
            "loop": f"[1].exists(x{level}, {text})",
            "call": f"[{text}][0]",
            "has": f"({text} ? has(resource.due) : true)",
        }[kind]
    return text


@pytest.mark.parametrize("kind", ["not", "junction", "loop", "call", "has"])
def test_condition_as_deep_as_the_language_allows_is_read_or_refused(kind: str) -> None:
    schema = "resources: {tasks: {actions: [view], attributes: {due: timestamp}}}"
    for levels in (5, 20, 60, 95, 190, 199, 400):
        texts = [("a.yaml", document(on_tasks(nested(kind, levels)))), ("schema.yaml", schema)]
        try:
            compile_documents(texts)
            lint(texts)
        except CompileError as error:
            assert {issue.code for issue in error.issues} == {"limit_exceeded"}
            assert levels > 20
