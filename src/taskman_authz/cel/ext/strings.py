"""The library `strings`: parts of strings, their case, joining, splitting, quoting, `format`.

Laws: positions count code points from 0, and one past the last is a position too; only ASCII
letters have a case; what a function makes is no larger than `limits.value_size`.
"""

from __future__ import annotations

from typing import Any

from ..._fast.access import adapt
from ..._fast.values import Fault
from ...limits import DEFAULT, Limits
from ..functions import Implementation, Limited
from ..library import Library
from .formatting import format_flaws, format_text
from .overloads import made, no_overload, takes

LATEST = 4  # from 1 on, `format` is that of 4: the former one depended on the machine's language

# fmt: off
OVERLOADS = """
0  charAt         string_char_at_int                string.(int) -> string
0  indexOf        string_index_of_string            string.(string) -> int
0  indexOf        string_index_of_string_int        string.(string, int) -> int
0  lastIndexOf    string_last_index_of_string       string.(string) -> int
0  lastIndexOf    string_last_index_of_string_int   string.(string, int) -> int
0  lowerAscii     string_lower_ascii                string.() -> string
0  replace        string_replace_string_string      string.(string, string) -> string
0  replace        string_replace_string_string_int  string.(string, string, int) -> string
0  split          string_split_string               string.(string) -> list(string)
0  split          string_split_string_int           string.(string, int) -> list(string)
0  substring      string_substring_int              string.(int) -> string
0  substring      string_substring_int_int          string.(int, int) -> string
0  trim           string_trim                       string.() -> string
0  upperAscii     string_upper_ascii                string.() -> string
1  format         string_format                     string.(list(dyn)) -> string
1  strings.quote  strings_quote                     (string) -> string
2  join           list_join                         list(string).() -> string
2  join           list_join_string                  list(string).(string) -> string
3  reverse        string_reverse                    string.() -> string
"""
# fmt: on

LETTERS = "abcdefghijklmnopqrstuvwxyz"
LOWER = str.maketrans(LETTERS.upper(), LETTERS)
UPPER = str.maketrans(LETTERS, LETTERS.upper())
# What Unicode calls White_Space; str.strip() would also take the ASCII separators 1C to 1F.
SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
QUOTED = str.maketrans(
    {
        "\a": r"\a",
        "\b": r"\b",
        "\f": r"\f",
        "\n": r"\n",
        "\r": r"\r",
        "\t": r"\t",
        "\v": r"\v",
        "\\": r"\\",
        '"': r"\"",
        **{chr(surrogate): "\ufffd" for surrogate in range(0xD800, 0xE000)},
    }
)


def too_large(limits: Limits) -> Fault:
    return Fault("limit_exceeded", ("value_size", limits.value_size))


def outside(index: int, text: str) -> Fault:
    return Fault("index_out_of_range", (index, len(text), "string"))


@takes("charAt", (str, int))
def char_at(text: str, index: int) -> Any:
    """The character at a position; "" at the end."""
    return text[index : index + 1] if 0 <= index <= len(text) else outside(index, text)


@takes("indexOf", (str, str), (str, str, int))
def index_of(text: str, part: str, start: int = 0) -> Any:
    """Where `part` is found first, at `start` or behind it; -1 if nowhere."""
    return text.find(part, start) if 0 <= start <= len(text) else outside(start, text)


@takes("lastIndexOf", (str, str), (str, str, int))
def last_index_of(text: str, part: str, last: int | None = None) -> Any:
    """Where `part` is found last, at `last` or before it; -1 if nowhere."""
    if last is None:
        return text.rfind(part)
    return text.rfind(part, 0, last + len(part)) if 0 <= last <= len(text) else outside(last, text)


@takes("lowerAscii", (str,))
def lower_ascii(text: str) -> str:
    return text.lower() if text.isascii() else text.translate(LOWER)


@takes("upperAscii", (str,))
def upper_ascii(text: str) -> str:
    return text.upper() if text.isascii() else text.translate(UPPER)


@Limited
@takes("replace", (str, str, str), (str, str, str, int))
def replace(text: str, old: str, new: str, count: int = -1, *, limits: Limits = DEFAULT) -> Any:
    """`text` with the first `count` of `old` replaced; a negative count is all of them. The empty
    string is found before every character and at the end."""
    if len(text) + (len(text) + 1) * len(new) > limits.value_size:
        found = text.count(old) if count < 0 else min(count, text.count(old))
        if len(text) + found * (len(new) - len(old)) > limits.value_size:
            return too_large(limits)
    return text.replace(old, new, max(count, -1))


@takes("split", (str, str), (str, str, int))
def split(text: str, separator: str, most: int = -1) -> list[str]:
    """The parts between separators, all or at `most` so many; the empty separator is between any
    two characters."""
    if most == 0:
        return []
    if separator:
        return text.split(separator, most - 1 if most > 0 else -1)
    if most < 0 or most >= len(text):
        return list(text)
    return [*text[: most - 1], text[most - 1 :]]


@takes("substring", (str, int), (str, int, int))
def substring(text: str, start: int, end: int | None = None) -> Any:
    """The characters from `start` up to `end`."""
    if not 0 <= start <= len(text):
        return outside(start, text)
    if end is None:
        return text[start:]
    if not 0 <= end <= len(text):
        return outside(end, text)
    if end < start:
        return Fault("invalid_argument", ("substring", f"{end} is before {start}"))
    return text[start:end]


@takes("trim", (str,))
def trim(text: str) -> str:
    """The text without white space at its ends."""
    return text.strip(SPACE)


@takes("strings.quote", (str,))
def quote(text: str) -> str:
    """The text as a literal of the language, in double quotes."""
    return f'"{text.translate(QUOTED)}"'


@takes("reverse", (str,))
def reverse(text: str) -> str:
    return text[::-1]


@Limited
@takes("join", (list,), (tuple,), (list, str), (tuple, str))
def join(parts: list[Any], separator: str = "", *, limits: Limits = DEFAULT) -> Any:
    """The strings of a list in one, with a separator between them."""
    room = limits.value_size - len(separator) * max(len(parts) - 1, 0)
    texts = []
    for part in parts:
        text = adapt(part)
        if type(text) is not str:
            return text if type(text) is Fault else no_overload("join", parts, text)
        room -= len(text)
        texts.append(text)
    return separator.join(texts) if room >= 0 else too_large(limits)


IMPLEMENTATIONS: dict[tuple[str, int], Implementation] = {
    ("charAt", 2): char_at,
    ("indexOf", 2): index_of,
    ("indexOf", 3): index_of,
    ("lastIndexOf", 2): last_index_of,
    ("lastIndexOf", 3): last_index_of,
    ("lowerAscii", 1): lower_ascii,
    ("replace", 3): replace,
    ("replace", 4): replace,
    ("split", 2): split,
    ("split", 3): split,
    ("substring", 2): substring,
    ("substring", 3): substring,
    ("trim", 1): trim,
    ("upperAscii", 1): upper_ascii,
    ("format", 2): format_text,
    ("strings.quote", 1): quote,
    ("join", 1): join,
    ("join", 2): join,
    ("reverse", 1): reverse,
}


CONSTANTS = {"string_format": format_flaws}


def library(version: int = LATEST) -> Library:
    """The library as of a version."""
    return made("strings", version, LATEST, OVERLOADS, IMPLEMENTATIONS, constants=CONSTANTS)
