"""Promises of reading what a request is for: one meaning or none."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from taskman_authz_sidecar.ext_authz.targets import read_query, read_target

from taskman_authz.errors import RequestError


@pytest.mark.parametrize(
    ("sent", "segments"),
    [
        ("/", ("",)),
        ("/tasks", ("tasks",)),
        ("/tasks/", ("tasks", "")),
        ("/tasks/7?x=%zz#", ("tasks", "7")),
        ("/caf%C3%A9/a%20b", ("café", "a b")),
        ("/caf%c3%a9", ("café",)),
        ("/a:b@c,d=e/...", ("a:b@c,d=e", "...")),
        ("/ann%40example.org", ("ann@example.org",)),
        ("/%7Bid%7D", ("{id}",)),
    ],
)
def test_a_path_is_read_in_decoded_segments(sent, segments):
    assert read_target(sent).segments == segments


AMBIGUOUS = [
    *("", "*", "tasks", "http://elsewhere/tasks", "example.org:443"),
    *("//", "//tasks", "/tasks//7", "/a//"),
    *("/.", "/..", "/./tasks", "/tasks/../admin", "/tasks/.", "/%2e%2e/admin", "/%2E/admin"),
    *("/tasks%2F7", "/tasks%2f..%2fadmin", "/a%5Cb", "/a\\b", "/%252e%252e/admin", "/a%25"),
    *("/tasks;a=b/7", "/..;/admin", "/a%3Bb", "/a%3Fb", "/a%23b", "/a#b"),
    *("/%61dmin", "/t%41sks", "/a%7e", "/a%2Db"),
    *("/a%", "/a%2", "/a%zz", "/a b", "/a\tb", "/a\nb", "/é", "/a%00", "/a%0a", "/a%7f", "/a%ff"),
    *("/a|b", "/a[b]", '/a"b', "/a<b", "/a{b}", "/a^b", "/a`b"),
]


@pytest.mark.parametrize("sent", AMBIGUOUS)
def test_a_path_that_may_be_read_as_two_is_refused(sent):
    with pytest.raises(RequestError) as caught:
        read_target(sent)
    assert caught.value.field == "path"


@given(st.text(alphabet="/.;%25eEfF2cC3a\\?#{} é\x00+", max_size=12))
def test_what_is_read_was_sent_so_but_for_marks_that_may_be_encoded_or_not(sent):
    try:
        found = read_target("/" + sent)
    except RequestError as error:
        assert error.field == "path"
        return
    path = "/" + "/".join(quote(each, safe="") for each in found.segments)
    encoded = re.sub("[!$&'()*+,=:@]", lambda mark: quote(mark[0]), f"/{sent}".partition("?")[0])
    assert path.upper() == encoded.upper()
    assert not {"", ".", ".."} & set(found.segments[:-1])


def test_a_path_that_is_too_long_is_refused():
    with pytest.raises(RequestError, match="longer than"):
        read_target("/" + "a" * 20_000)


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("", {}),
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("a", {"a": ""}),
        ("a=b=c", {"a": "b=c"}),
        ("a=x+y%2Bz%26", {"a": "x y+z&"}),
    ],
)
def test_a_query_is_read_by_name(query, parameters):
    assert read_query(query) == parameters


@pytest.mark.parametrize(
    "query",
    ["a=1&a=2", "a=1&%61=2", "a=1&a", "a=1;b=2", "a=%", "a=%zz", "a=%ff", "a=%00", "a= ", "a=é"]
    + ["a=[1]", "&".join(f"p{n}=" for n in range(1_001))],
)
def test_a_query_that_may_be_read_as_two_is_refused(query):
    with pytest.raises(RequestError) as caught:
        read_query(query)
    assert caught.value.field == "query"


@given(st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=4))
def test_a_query_gives_what_was_encoded(parameters):
    encoded = urlencode(parameters)
    try:
        assert read_query(encoded) == parameters
    except RequestError as error:
        assert error.field == "query"
        assert any(
            ord(each) < 32 or ord(each) == 127
            for each in "".join((*parameters, *parameters.values()))
        )
