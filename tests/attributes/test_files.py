"""Entities in files: what is read, and everything that is refused, each at its place."""

from __future__ import annotations

import json
import os

import msgspec
import pytest

from taskman_authz.attributes import EntityFiles
from taskman_authz.errors import CompileError, StoreError
from taskman_authz.limits import DEFAULT

YAML = """\
subjects:
  - {type: user, id: alice, roles: [developer], properties: {level: 3, tags: [a]}}
  - {type: user, id: bob, company_id: acme}
resources:
  - {type: tasks, id: "1", properties: {owner: alice}}
"""


def load(tmp_path, limits=DEFAULT, **texts):
    for name, text in texts.items():
        stem, _, ending = name.rpartition("_")
        (tmp_path / f"{stem}.{ending}").write_text(text, encoding="utf-8")
    return EntityFiles(tmp_path, limits).load()


def refused(tmp_path, limits=DEFAULT, **texts):
    """Every issue as `file:line message`."""
    with pytest.raises(CompileError) as raised:
        load(tmp_path, limits, **texts)
    return [
        f"{os.path.basename(issue.place.source)}:{issue.place.line} {issue.message}"
        for issue in raised.value.issues
    ]


def test_yaml_json_and_csv_say_the_same(tmp_path):
    found = load(
        tmp_path,
        a_yaml=YAML,
        b_json=json.dumps(
            {"subjects": [{"type": "user", "id": "cleo", "properties": {"name": "\U0001f600"}}]}
        ),
        subjects_csv=(
            'type,id,roles,company_id,level,tags\nuser,dan,developer;admin,,3,"[1, true]"\n'
        ),
    )
    assert len(found) == 5
    assert found.subject("user", "alice", None).attributes == {
        "level": 3,
        "tags": ["a"],
        "roles": ["developer"],
    }
    assert found.resource("tasks", "1", "any").attributes == {"owner": "alice"}
    assert found.subject("user", "cleo", None).attributes == {"name": "\U0001f600"}
    dan = found.subject("user", "dan", None)
    assert dan.company_id is None
    assert dan.attributes == {"level": 3, "tags": [1, True], "roles": ["developer", "admin"]}


def test_cells_are_read_as_json_where_they_are_it(tmp_path):
    cells = {
        "7": 7,
        "-2.5": -2.5,
        "true": True,
        "null": None,
        "007": "007",
        "1h": "1h",
        "truely": "truely",
        '"""7"""': "7",
        '"{""a"": [1]}"': {"a": [1]},
        "a b": "a b",
    }
    names = [f"c{number}" for number in range(len(cells))]
    text = f"type,id,empty,{','.join(names)}\ntasks,1,,{','.join(cells)}\n"
    found = load(tmp_path, resources_csv=text).resource("tasks", "1", None)
    assert found.attributes == dict(zip(names, cells.values(), strict=True))
    types = [type(value) for value in found.attributes.values()]
    assert types == [type(value) for value in cells.values()]


def test_everything_wrong_in_all_files_is_told_at_its_place(tmp_path):
    found = refused(
        tmp_path,
        a_yaml="""\
subjects:
  - {type: user, id: 7}
  - {type: "us:er", id: ann, properties: {roles: [a]}}
  - {type: user, id: ann, rolls: [a]}
resources:
  - {type: tasks}
""",
        b_json='{"resources": [\n{"type": "tasks", "id": "1", "id": "2"}]}',
        c_json='{"resources":\n[1]}',
        d_yaml="subjects: [",
        other_csv="type,id\n",
        subjects_csv='type,id,x\nuser,ann\nuser,bob,{\nu:r,cid,1\nuser,,1\n"user',
        resources_csv="type,type,roles\n",
    )
    assert found == [
        "a.yaml:2 expected a text, found a number",
        "a.yaml:3 expected a type without `:`",
        "a.yaml:3 `roles` is no property",
        "a.yaml:4 unknown key `rolls`",
        "a.yaml:6 the key `id` is missing",
        "b.json:1 not JSON: `id` twice in one object",
        "c.json:2 expected a map of keys and values, found a number",
        "d.yaml:1 malformed YAML: did not find expected node content",
        "other.csv:1 the name of a CSV file begins with `subjects` or `resources`",
        "resources.csv:1 the column `type` is there twice",
        "resources.csv:1 the first line names no column `id`",
        "resources.csv:1 resources have no `roles`",
        "subjects.csv:2 expected 3 cells as in the first line, found 2",
        "subjects.csv:3 `x` holds no JSON: expecting property name enclosed in double quotes",
        "subjects.csv:4 expected a type without `:`",
        "subjects.csv:5 expected 1 to 1024 characters as `id`",
        "subjects.csv:6 malformed CSV: unexpected end of data",
    ]


@pytest.mark.parametrize(("one", "other"), [("", ""), ("", "acme"), ("acme", ""), ("acme", "acme")])
def test_who_is_seen_twice_is_refused(tmp_path, one, other):
    text = "type,id,company_id\nuser,ann,{}\n"
    found = refused(tmp_path, subjects_csv=text.format(one), subjects2_csv=text.format(other))
    assert len(found) == 1
    assert found[0].startswith("subjects2.csv:2 the subject `user:ann` is given twice, first at")


def test_the_same_name_in_two_companies_is_two_entities(tmp_path):
    text = "type,id,company_id,x\nuser,ann,acme,1\nuser,ann,initech,2\n"
    found = load(tmp_path, subjects_csv=text)
    assert found.subject("user", "ann", "acme").attributes == {"x": 1}
    assert found.subject("user", "ann", "initech").attributes == {"x": 2}
    assert found.subject("user", "ann", None) is None


def test_limits_are_named(tmp_path):
    few = msgspec.structs.replace(DEFAULT, entities=1)
    assert refused(tmp_path, few, subjects_csv="type,id\nuser,a\nuser,b\n") == [
        "subjects.csv:3 more than 1 subjects and resources (entities)"
    ]
    short = msgspec.structs.replace(DEFAULT, entity_bytes=10)
    with pytest.raises(StoreError, match="larger than 10 bytes"):
        load(tmp_path, short)


@pytest.mark.parametrize("name", ["a.yaml", "a.json", "subjects.csv"])
def test_deep_properties_are_refused(tmp_path, name):
    deep = "[" * 40 + "]" * 40
    entity = f'{{"type": "user", "id": "a", "properties": {{"x": {deep}}}}}'
    texts = {
        "a.yaml": f"subjects: [{entity}]",
        "a.json": f'{{"subjects": [{entity}]}}',
        "subjects.csv": f"type,id,x\nuser,a,{deep}\n",
    }
    (tmp_path / name).write_text(texts[name], encoding="utf-8")
    with pytest.raises(CompileError, match="nested"):
        EntityFiles(tmp_path).load()


def test_a_fingerprint_changes_with_what_is_there(tmp_path):
    file = tmp_path / "subjects.csv"
    files = EntityFiles(tmp_path)
    seen = [files.fingerprint()]
    for text in ("type,id\n", "type,id\nuser,a\n"):
        file.write_text(text, encoding="utf-8")
        seen.append(files.fingerprint())
    assert files.fingerprint() == seen[-1]
    assert len(set(seen)) == 3


def test_a_folder_without_entities_is_refused(tmp_path):
    with pytest.raises(StoreError, match="no entities"):
        EntityFiles(tmp_path).load()
    with pytest.raises(StoreError, match="no file or folder"):
        EntityFiles(tmp_path / "none").load()
