"""Regular expressions that need no engine: those that string methods answer.

`plan_shape` reads the part of RE2's language that is literals, groups of literals, and anchors at
the ends, and gives a matcher; for everything else None.

Law: a matcher gives the answer that RE2 gives on every text. What RE2 would refuse is never read
as if it were meant otherwise: it is not a shape.
"""

from __future__ import annotations

from typing import Any

# Alternatives multiply (`(a|b)(c|d)`), and each is looked for by itself.
WORDS = 64

_SPECIAL = frozenset("\\^$.|?*+()[]{}")
_QUANTIFIERS = frozenset("*+?{")
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


# -- reading -------------------------------------------------------------------------------------

Words = tuple[str, ...]
Branch = tuple[bool, Words, bool]  # words, and whether they are anchored at the start and end


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

    def branch(self) -> Branch:
        """What stands between two `|` of the outermost level."""
        start = self.take("^")
        words: Words = ("",)
        while self.peek() not in ("", "|", "$"):
            words = product(words, self.words())
        end = self.take("$")
        if self.peek() not in ("", "|"):
            raise NotAShapeError
        return start, words, end

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
        start, words, end = reader.branch()
        while reader.take("|"):
            anchored, more, ended = reader.branch()
            if (anchored, ended) != (start, end):  # each would have to be looked for by itself
                return None
            words = bounded(words + more)
    except NotAShapeError:
        return None
    return _words_matcher(start, words, end)


def _words_matcher(start: bool, words: Words, end: bool) -> Matcher:
    if start and end:
        return Equals(words)
    if start:
        return Starts(words)
    if end:
        return Ends(words)
    return Contains(words[0]) if len(words) == 1 else ContainsAny(words)
