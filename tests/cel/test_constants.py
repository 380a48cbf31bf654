"""A constant that is certain to fail is refused where it stands, if the environment is strict."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz import CompileError, EvaluationError, Limits, cel
from taskman_authz._fast.patterns import plan_pattern
from taskman_authz._fast.values import Fault
from taskman_authz.cel import ext

VARIABLES = {
    "s": "string",
    "x": "dyn",
    "i": "int",
    "u": "uint",
    "t": "timestamp",
    "strings": "list(string)",
}
LIBRARIES = [ext.STRINGS, ext.REGEX, ext.NETWORK, ext.OPTIONALS]
STRICT = cel.Env(VARIABLES, libraries=LIBRARIES, strict_constants=True)
LENIENT = cel.Env(VARIABLES, libraries=LIBRARIES)

# Each with a mark where the caret must point; the mark is taken out.
WRONG = [
    ("s.matches('a~(b')", "invalid_regex"),
    (r"s.matches(r'ab~\q')", "invalid_regex"),
    (r"s.matches('\\d+~(x')", "invalid_regex"),
    (r"s.matches('\u00e4\n~(')", "invalid_regex"),
    ("matches(x, '''a~)b''')", "invalid_regex"),
    ("'text'.matches('(a)~(b')", "invalid_regex"),
    ("s.matches('[~z-a]')", "invalid_regex"),
    ("s.matches('a+|~*')", "invalid_regex"),
    ("regex.replace(s, 'a~**', '')", "invalid_regex"),
    ("regex.replace(s, 'a~**', '', 2)", "invalid_regex"),
    ("regex.extract(s, ~'(a)(b)').hasValue()", "invalid_argument"),
    ("regex.extractAll(s, '~(')", "invalid_regex"),
    ("t + duration(~'1x') > t", "invalid_argument"),
    ("t < timestamp(~'2026-13-01T00:00:00Z')", "invalid_argument"),
    ("t.getHours(~'No/Where')", "invalid_argument"),
    ("int(~'x')", "invalid_argument"),
    ("uint(~'-1')", "invalid_argument"),
    ("double(~'x')", "invalid_argument"),
    ("bool(~'maybe')", "invalid_argument"),
    ("i / ~0", "division_by_zero"),
    ("x / ~0", "division_by_zero"),
    ("u % ~0u", "modulus_by_zero"),
    ("[1, 2][~2]", "index_out_of_range"),
    ("[1, 2][~-1]", "index_out_of_range"),
    ("'a ~%y'.format([s])", "invalid_argument"),
    ("'a ~%'.format([])", "invalid_argument"),
    ("'~%.f'.format([1.5])", "invalid_argument"),
    ("'~%.1000f'.format([1.5])", "limit_exceeded"),
    ("'%s ~%s'.format([s])", "invalid_argument"),
    ("'%s%%'.format([s, ~i])", "invalid_argument"),
    ("'%s %d'.format([i, ~s])", "no_such_overload"),
    ("'%x'.format([~t])", "no_such_overload"),
    ("'%o'.format([~1.5])", "no_such_overload"),
    ("ip(~'1.2.3') == ip('::1')", "invalid_argument"),
    ("cidr(~'10.0.0.0/99').containsIP(s)", "invalid_argument"),
    ("cidr('10.0.0.0/8').containsIP(~'x')", "invalid_argument"),
    ("cidr('10.0.0.0/8').containsCIDR(~'10.0.0.1')", "invalid_argument"),
    ("ip.isCanonical(~'x')", "invalid_argument"),
]
RIGHT = [
    "s.matches('a(b)')",
    "s.matches(s) && matches(x, s)",
    "regex.extract(s, '(a)b').hasValue()",
    "duration('1h') > duration(s)",
    "i / 1 > 0 || i / i > 0",
    "x / 0.0 > 1.0",
    "[1][0] == 1 || [?x, 1][1] == 1 || [1][i] == 1",
    "'%s %d %f %e %b %o %x %X %%'.format([x, i, 1.5, u, true, 1, s, b'x']) == ''",
    "'%d'.format([x]) == '%d'.format(x) || '%s'.format(strings) == ''",
    "s.format([s]) == ''",
    "cidr('10.0.0.0/8').containsIP('10.0.0.1') && cidr(s).containsIP(s)",
    "t.getHours('Europe/Berlin') > 1 || t.getHours('-01:00') > 1 || t.getHours() > 1",
]


@pytest.mark.parametrize(("marked", "code"), WRONG)
def test_a_constant_that_is_certain_to_fail_is_refused_at_its_place(marked: str, code: str) -> None:
    text = marked.replace("~", "")
    with pytest.raises(CompileError) as raised:
        STRICT.compile(text)
    (issue,) = raised.value.issues
    assert (issue.code, issue.place.column - 1) == (code, marked.index("~"))
    assert LENIENT.compile(text)


@pytest.mark.parametrize("text", RIGHT)
def test_what_may_succeed_compiles(text: str) -> None:
    assert STRICT.compile(text)


def test_an_environment_that_is_not_strict_evaluates_them_as_the_language_says() -> None:
    assert cel.evaluate("true || 1 / 0 == 1") is True
    with pytest.raises(EvaluationError):
        cel.evaluate("'a'.matches('(')")
    assert STRICT.compile("true || 1 / 0 == 1", check=False).evaluate() is True


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(CompileError) as raised:
        STRICT.compile("s.matches('(') && i == 'x' && duration('1x') > duration('2x')")
    codes = [issue.code for issue in raised.value.issues]
    assert codes == ["invalid_regex", "no_matching_overload", *["invalid_argument"] * 2]


def test_a_function_of_another_meaning_is_left_alone() -> None:
    own = cel.function("duration", "(string, string) -> string", lambda one, other: one)
    env = cel.Env(libraries=[own], strict_constants=True)
    assert env.compile("duration('1x', '')").evaluate() == "1x"


def test_patterns_are_held_to_the_environments_limit() -> None:
    env = cel.Env({"s": "string"}, limits=Limits(regex_length=3), strict_constants=True)
    with pytest.raises(CompileError, match="regex_length"):
        env.compile("s.matches('abcd')")


LARGE = r"\\pL{40}"  # some 48,000 instructions of RE2's
MANY_LARGE = " || ".join(f"s.matches('{LARGE}{number}')" for number in range(50))


def test_all_patterns_of_an_expression_share_one_budget() -> None:
    with pytest.raises(CompileError) as caught:
        STRICT.compile(MANY_LARGE)
    assert {issue.code for issue in caught.value.issues} == {"limit_exceeded"}
    assert "regex_steps" in caught.value.issues.items[0].message


def test_patterns_beyond_the_budget_are_left_to_the_evaluation() -> None:
    budget = Limits(regex_steps=1)
    text = "s.matches('^a+$') || s.matches('^b+$') || s.matches('(')"
    program = cel.Env({"s": "string"}, limits=budget).compile(text)
    assert program.evaluate({"s": "bb"}) is True
    with pytest.raises(EvaluationError, match="missing"):
        program.evaluate({"s": "c"})
    late = cel.Env({"s": "string"}).compile(MANY_LARGE)
    with pytest.raises(EvaluationError) as caught:
        late.evaluate({"s": "no"})
    assert caught.value.code == "limit_exceeded"


def test_looking_for_the_place_of_a_mistake_is_bounded_too() -> None:
    with pytest.raises(CompileError) as caught:
        STRICT.compile(f"s.matches('{(LARGE + '|') * 100}(')")
    assert caught.value.issues.items[0].code == "invalid_regex"


@pytest.mark.parametrize("condition", ["context.ip.matches('(')", "context.size / 0 > 1"])
def test_policies_are_strict(condition: str) -> None:
    with pytest.raises(CompileError):
        cel.policy_env().compile_condition(cel.Source(condition), cel.policy_layout())


@given(st.text(st.sampled_from("ab()[]|*+?{}1,-^$\\.P<>:"), max_size=12), st.booleans())
def test_the_caret_is_within_the_pattern_and_what_compiles_is_never_refused(
    pattern: str, raw: bool
) -> None:
    quoted = f"r'''{pattern}'''" if raw else "'" + pattern.replace("\\", "\\\\") + "'"
    text = f"s.matches({quoted})"
    fails = type(plan_pattern(pattern)) is Fault
    try:
        STRICT.compile(text)
        assert not fails
    except CompileError as error:
        (issue,) = error.issues
        assert fails or issue.code == "syntax_error"  # a raw string cannot end in a backslash
        assert 10 <= issue.place.column - 1 <= len(text)
