"""Regular expressions that need no engine: those that string methods answer.

`plan_shape` reads the part of RE2's language that is literals, groups of literals, one character
class with its repetition, and anchors at the ends, and gives a matcher; for everything else None.

Law: a matcher gives the answer that RE2 gives on every text. What RE2 would refuse is never read
as if it were meant otherwise: it is not a shape.
"""

from __future__ import annotations

from typing import Any

from .values import Fault

UNBOUNDED = -1
# RE2 refuses a repetition above this.
REPEATS = 1_000
# Alternatives multiply (`(a|b)(c|d)`), and each is looked for by itself.
WORDS = 64
# Characters of a class, one by one. Those of a negated one are looked for one by one.
CLASS_SIZE = 256
EXCLUDED_SIZE = 8

_DIGITS = "0123456789"
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SPECIAL = frozenset("\\^$.|?*+()[]{}")
_QUANTIFIERS = frozenset("*+?{")
_CLASSES = {"d": _DIGITS, "w": _DIGITS + _LETTERS + "_", "s": "\t\n\f\r "}
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", **{c: c for c in "\\^$.|?*+()[]{}-/@:#&,;=!%<>~'\""}}


# -- matchers ------------------------------------------------------------------------------------


def is_unicode(text: str) -> bool:
    """Whether a text has no lone surrogate, which is no character."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Matcher:
    """A pattern, planned: `match(text)` is whether it matches somewhere in a text (or a Fault)."""

    __slots__ = ()

    def weight(self) -> int:
        """The steps that matching takes for 64 characters."""
        return 1

    def match(self, text: str) -> Any:
        raise NotImplementedError


class Contains(Matcher):
    """`word`"""

    __slots__ = ("word",)

    def __init__(self, word: str) -> None:
        self.word = word

    def match(self, text: str) -> Any:
        return self.word in text


class ContainsAny(Matcher):
    """`one|other`"""

    __slots__ = ("words",)

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words

    def weight(self) -> int:
        return len(self.words)

    def match(self, text: str) -> Any:
        for word in self.words:
            if word in text:
                return True
        return False


class Starts(Matcher):
    """`^word`, `^(?:one|other)`"""

    __slots__ = ("words",)

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words

    def match(self, text: str) -> Any:
        return text.startswith(self.words)


class Ends(Matcher):
    """`word$`, `(?:one|other)$`"""

    __slots__ = ("words",)

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words

    def match(self, text: str) -> Any:
        return text.endswith(self.words)


class Equals(Matcher):
    """`^word$`, `^(?:one|other)$`"""

    __slots__ = ("words",)

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = frozenset(words)

    def match(self, text: str) -> Any:
        return text in self.words


class CharacterRun:
    """A class of characters (or, `negated`, all others) that repeats `least` to `most` times."""

    __slots__ = ("characters", "negated", "least", "most")

    def __init__(self, characters: str, negated: bool, least: int, most: int) -> None:
        self.characters = characters
        self.negated = negated
        self.least = least
        self.most = most

    def fills(self, part: str) -> bool:
        """Whether every character of `part` is in the class."""
        if not self.negated:
            return not part.lstrip(self.characters)
        for character in self.characters:
            if character in part:
                return False
        return True


class Run(Matcher):
    """`^prefix[class]{least,most}suffix$`, where each part but the class may be missing.

    An end that is not anchored needs `least` characters there and no more; it has no word.
    """

    __slots__ = ("prefixes", "run", "suffixes", "start", "end")

    def __init__(
        self,
        prefixes: tuple[str, ...],
        run: CharacterRun,
        suffixes: tuple[str, ...],
        start: bool,
        end: bool,
    ) -> None:
        self.prefixes = prefixes
        self.run = run
        self.suffixes = suffixes
        self.start = start
        self.end = end

    def match(self, text: str) -> Any:
        if self.run.negated and not is_unicode(text):
            return Fault("invalid_argument", ("matches", "a lone surrogate"))
        for prefix in self.prefixes:
            if text.startswith(prefix):
                for suffix in self.suffixes:
                    if text.endswith(suffix) and self.holds(text, len(prefix), len(suffix)):
                        return True
        return False

    def holds(self, text: str, before: int, after: int) -> bool:
        """Whether the class fills what lies between the two words."""
        run = self.run
        stop = len(text) - after
        if stop - before < run.least:
            return False
        if not self.end:
            stop = before + run.least
        elif not self.start:
            before = stop - run.least
        elif run.most != UNBOUNDED and stop - before > run.most:
            return False
        return run.fills(text[before:stop])


class Padded(Matcher):
    """`^.*word.*$`: a word, and nowhere outside of it one of the excluded characters, which the
    word has none of."""

    __slots__ = ("words", "run")

    def __init__(self, words: tuple[str, ...], run: CharacterRun) -> None:
        self.words = words
        self.run = run

    def match(self, text: str) -> Any:
        if not is_unicode(text):
            return Fault("invalid_argument", ("matches", "a lone surrogate"))
        if not self.run.fills(text):
            return False
        for word in self.words:
            if word in text:
                return True
        return False


# -- reading -------------------------------------------------------------------------------------

Words = tuple[str, ...]
Part = Words | CharacterRun


class NotAShapeError(Exception):
    """What stands here is for RE2 to judge. Never leaves this module."""


class Reader:
    """Reads one pattern, from left to right."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.position = 0

    def peek(self) -> str:
        """The next character, or "" at the end."""
        return self.pattern[self.position : self.position + 1]

    def take(self, text: str) -> bool:
        """Step over `text` if it stands here."""
        if not self.pattern.startswith(text, self.position):
            return False
        self.position += len(text)
        return True

    def next(self) -> str:
        """The next character, which there must be."""
        character = self.peek()
        if not character:
            raise NotAShapeError
        self.position += 1
        return character

    def branch(self) -> tuple[bool, list[Part], bool]:
        """What stands between two `|` of the outermost level: its parts, and whether it is
        anchored at the start and at the end."""
        start = self.take("^")
        parts: list[Part] = []
        while self.peek() not in ("", "|", "$"):
            self.part(parts)
        end = self.take("$")
        if self.peek() not in ("", "|"):
            raise NotAShapeError
        return start, parts, end

    def part(self, parts: list[Part]) -> None:
        """One literal, group or class with its repetition; literals in a row become one."""
        characters = self.characters()
        if characters is not None:
            text, negated = characters
            least, most = self.repetition()
            parts.append(CharacterRun(text, negated, least, most))
            return
        words = self.words()
        last = parts[-1] if parts else None
        if isinstance(last, tuple):
            parts[-1] = product(last, words)
        else:
            parts.append(words)

    def words(self) -> Words:
        """A literal character or a group of literals, with a `?` or without."""
        if self.take("("):
            words = self.group()
        else:
            words = (self.literal(),)
        if self.take("?"):
            words = (*words, "")
        if self.peek() in _QUANTIFIERS and self.peek():
            raise NotAShapeError
        return words

    def group(self) -> Words:
        """What follows a `(`, up to its `)`."""
        if self.peek() == "?" and not self.take("?:"):
            raise NotAShapeError
        found: Words = ()
        words: Words = ("",)
        while not self.take(")"):
            if self.take("|"):
                found, words = found + words, ("",)
            else:
                words = product(words, self.words())
        return bounded(found + words)

    def literal(self) -> str:
        """One character that means itself, escaped or not."""
        character = self.next()
        if character == "\\":
            character = _ESCAPES.get(self.next(), "")
            if not character:
                raise NotAShapeError
        elif character in _SPECIAL:
            raise NotAShapeError
        return character

    def characters(self) -> tuple[str, bool] | None:
        """A class of characters and whether it is negated; None if none stands here."""
        if self.take("."):
            return "\n", True
        if self.take("["):
            return self.bracket()
        if self.peek() == "\\":
            known = _CLASSES.get(self.pattern[self.position + 1 : self.position + 2])
            if known is not None:
                self.position += 2
                return known, False
        return None

    def bracket(self) -> tuple[str, bool]:
        """What follows a `[`, up to its `]`."""
        negated = self.take("^")
        found: set[str] = set()
        while not self.take("]"):
            if self.peek() == "-" and found and self.pattern[self.position + 1 :][:1] != "]":
                raise NotAShapeError
            found.update(self.members())
        if not found or len(found) > (EXCLUDED_SIZE if negated else CLASS_SIZE):
            raise NotAShapeError
        return "".join(sorted(found)), negated

    def members(self) -> str:
        """One character, range or class within brackets."""
        if self.peek() == "\\":
            known = _CLASSES.get(self.pattern[self.position + 1 : self.position + 2])
            if known is not None:
                self.position += 2
                return known
        first = self.bracket_literal()
        if self.peek() != "-" or self.pattern[self.position + 1 :][:1] == "]":
            return first
        self.position += 1
        last = self.bracket_literal()
        if not 0 <= ord(last) - ord(first) < CLASS_SIZE:
            raise NotAShapeError
        return "".join(map(chr, range(ord(first), ord(last) + 1)))

    def bracket_literal(self) -> str:
        """A character that means itself within brackets."""
        if self.peek() == "\\":
            return self.literal()
        character = self.next()
        if character in "[]":
            raise NotAShapeError
        return character

    def repetition(self) -> tuple[int, int]:
        """How often the class before may repeat: at least, and at most (UNBOUNDED)."""
        least, most = 1, 1
        if self.take("*"):
            least, most = 0, UNBOUNDED
        elif self.take("+"):
            least, most = 1, UNBOUNDED
        elif self.take("?"):
            least, most = 0, 1
        elif self.take("{"):
            least = most = self.number()
            if self.take(","):
                most = UNBOUNDED if self.peek() == "}" else self.number()
            if not self.take("}") or UNBOUNDED < most < least:
                raise NotAShapeError
        if self.peek() in _QUANTIFIERS and self.peek():
            raise NotAShapeError
        return least, most

    def number(self) -> int:
        """A number of repetitions that RE2 takes."""
        digits = ""
        while self.peek() in _DIGITS and self.peek():
            digits += self.next()
        if not digits or len(digits) > 4 or int(digits) > REPEATS:
            raise NotAShapeError
        return int(digits)


def product(left: Words, right: Words) -> Words:
    """Every word of the left with every word of the right behind it."""
    return bounded(tuple(a + b for a in left for b in right))


def bounded(words: Words) -> Words:
    """The words, if they are not too many."""
    if len(words) > WORDS:
        raise NotAShapeError
    return words


# -- planning ------------------------------------------------------------------------------------


def plan_shape(pattern: str) -> Matcher | None:
    """A matcher without an engine, or None where there is none."""
    if not is_unicode(pattern):
        return None
    reader = Reader(pattern)
    try:
        start, parts, end = reader.branch()
        while reader.take("|"):
            start, parts, end = _either((start, parts, end), reader.branch())
    except NotAShapeError:
        return None
    return _matcher(start, parts, end)


def _either(
    left: tuple[bool, list[Part], bool], right: tuple[bool, list[Part], bool]
) -> tuple[bool, list[Part], bool]:
    """Two branches as one, where both are words alone and anchored alike."""
    if left[0] != right[0] or left[2] != right[2]:
        raise NotAShapeError
    return left[0], [bounded(_only_words(left[1]) + _only_words(right[1]))], left[2]


def _only_words(parts: list[Part]) -> Words:
    if not parts:
        return ("",)
    if len(parts) == 1 and isinstance(parts[0], tuple):
        return parts[0]
    raise NotAShapeError


def _matcher(start: bool, parts: list[Part], end: bool) -> Matcher | None:
    # What may be absent needs not be looked for where anything may surround it.
    while parts and not start and _may_be_absent(parts[0]):
        parts = parts[1:]
    while parts and not end and _may_be_absent(parts[-1]):
        parts = parts[:-1]
    if len(parts) == 3 and start and end:
        padded = _padded(parts)
        if padded is not None:
            return padded
    prefixes = parts[0] if parts and isinstance(parts[0], tuple) else ()
    rest = parts[1:] if prefixes else parts
    if not rest:
        return _words_matcher(start, prefixes or ("",), end)
    run, suffixes = rest[0], rest[1] if len(rest) > 1 else ("",)
    if len(rest) > 2 or not isinstance(run, CharacterRun) or not isinstance(suffixes, tuple):
        return None
    if not (start or end) or (prefixes and not start) or (len(rest) > 1 and not end):
        return None
    return Run(prefixes or ("",), run, suffixes, start, end)


def _may_be_absent(part: Part) -> bool:
    return part.least == 0 if isinstance(part, CharacterRun) else "" in part


def _words_matcher(start: bool, words: Words, end: bool) -> Matcher:
    if start and end:
        return Equals(words)
    if start:
        return Starts(words)
    if end:
        return Ends(words)
    return Contains(words[0]) if len(words) == 1 else ContainsAny(words)


def _padded(parts: list[Part]) -> Padded | None:
    before, words, after = parts
    if (
        isinstance(before, CharacterRun)
        and isinstance(words, tuple)
        and isinstance(after, CharacterRun)
        and before.negated
        and after.negated
        and before.characters == after.characters
        and (before.least, before.most) == (after.least, after.most) == (0, UNBOUNDED)
        and all(before.fills(word) for word in words)
    ):
        return Padded(words, before)
    return None
