"""Promises of reading a table: all that is wrong is told, each at its place."""

from __future__ import annotations

import pytest
import structlog
from structlog.testing import CapturingLogger
from taskman_authz_sidecar.ext_authz.following import RoutesFollower
from taskman_authz_sidecar.ext_authz.reading import load_table, read_table

from taskman_authz.errors import CompileError, StoreError
from tests.sidecar.ext_authz.tables import ROUTES

MISTAKES = """\
subjects:
  - type: a:b
    id: claims.?sub
  - type: user
    id: headers.sub
    attributes: {id: claims.sub, roles: '['}
  - type: user
    id: trusted.?x_user
  - type: user
    id: size(source.principal)
company: source.compny
context: {ip: source.address, who: path.id}
headers:
  X-Subject: subject.id
  x-count: size('a')
remove_headers: [x_secret]
routes:
  - path: tasks
    methods: [GET]
    public: true
  - path: /tasks/{id}
    methods: [get, GET, GET]
    action: tasks:view
    resource: tasks/{task}
    attributes: {project: path.ide}
    context: {ip: request.host}
  - {path: "/tasks/{task}", methods: [PUT, GET], action: "tasks:edit", resource: tasks}
  - {path: /a, methods: [GET], action: "a:b"}
  - {path: /b, methods: [GET], public: true, action: "a:b", context: {x: "1"}}
"""

TOLD = """\
2:11 bad_name
5:9 undeclared_reference
6:18 bad_name
6:43 syntax_error
8:18 undefined_field
10:9 bad_type
11:17 undefined_field
12:36 undeclared_reference
14:3 bad_name
15:12 bad_type
16:18 bad_name
18:11 bad_path
22:15 bad_name
22:25 duplicate_route
24:15 unknown_parameter
25:32 undefined_field
26:15 duplicate_key
27:44 duplicate_route
27:82 bad_value
28:5 missing_key
29:46 bad_value
29:61 bad_value
"""


def issues_of(text: str) -> list:
    with pytest.raises(CompileError) as caught:
        read_table("routes.yaml", text)
    return list(caught.value.issues)


def test_all_that_is_wrong_is_told_each_at_its_place():
    issues = issues_of(MISTAKES)
    told = [f"{each.place.line}:{each.place.column} {each.code}" for each in issues]
    assert told == TOLD.splitlines()
    assert {each.place.source for each in issues} == {"routes.yaml"}


def test_who_wants_to_believe_a_client_is_told_what_may_be_believed():
    hints = {each.place.line: each.hint for each in issues_of(MISTAKES)}
    assert "never read from what a client says" in hints[5]
    assert "--ext-authz-trusted-header" in hints[8]


@pytest.mark.parametrize(
    ("change", "message", "hint"),
    [
        (("methods: [GET, PUT]", "method: [GET]"), "unknown key `method`", "`methods`?"),
        (("public: true", "public: maybe"), "unexpected value: a text", ""),
        (("methods: [GET, PUT]", "methods: []"), "expected at least one entry", ""),
        (("company:", "compny:"), "unknown key `compny`", "`company`?"),
        (("id: claims.?sub", "id: 7"), "expected a text, found a number", "quotes"),
    ],
)
def test_what_is_no_table_is_told_in_words(change, message, hint):
    found = issues_of(ROUTES.replace(*change).replace("trusted.?x_user", "''"))
    assert any(message in each.message and hint in each.hint for each in found), found


def test_a_table_that_is_no_yaml_is_refused():
    assert issues_of("routes: [")[0].code == "malformed_yaml"
    assert issues_of("")[0].code == "missing_key"
    assert issues_of(f"{ROUTES}---\na: 1\n")[0].code == "bad_value"


def test_a_file_that_is_not_there_or_no_text_is_a_store_error(tmp_path):
    with pytest.raises(StoreError, match=r"no such file"):
        load_table(tmp_path / "nowhere.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(StoreError, match="UTF-8"):
        load_table(tmp_path / "bytes.yaml")


async def test_a_bad_change_keeps_the_last_good_table_and_a_good_one_recovers(tmp_path):
    file, states, logger = tmp_path / "routes.yaml", [], CapturingLogger()
    file.write_text(ROUTES)

    async def tell(current: bool) -> None:
        states.append(current)

    log = structlog.wrap_logger(logger, processors=[])
    follower = RoutesFollower(file, ["x-user"], log, tell)
    before = follower.table

    async def change(text: str | None) -> None:
        file.unlink(missing_ok=True)
        if text is not None:
            file.write_text(text)
        await follower.look()
        await follower.look()

    await change(MISTAKES)
    assert (follower.table is before, states) == (True, [False])
    (refused,) = logger.calls
    assert refused.kwargs["event"] == "routes refused, the last good ones stay"
    assert any("duplicate_route" in issue for issue in refused.kwargs["issues"])
    await change(None)
    assert follower.table is before
    await change(f"{ROUTES}# changed\n")
    assert follower.table is not before
    assert states[-1] is True
    assert follower.table.revision != before.revision
