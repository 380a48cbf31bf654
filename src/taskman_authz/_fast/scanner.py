"""A text that is being read: where the reader is, which operator stands there, what was wrong.

Laws: a method that reads something leaves the position behind it; one that cannot records a
`Problem` and leaves the position at what is wrong. When `lost`, nothing more is recorded: a limit
was passed, or what follows cannot be told apart.
"""

from __future__ import annotations

from .lexis import (
    Problem,
    blank_end,
    is_lexical,
    is_unsigned,
    lexeme_end,
    next_closer,
    word_end,
)
from .tree import Expr

KEYWORDS = {"true": True, "false": False, "null": None}
RESERVED = frozenset(
    "as break const continue else for function if import let loop package namespace return var "
    "void while".split()
)
WORDS = frozenset(KEYWORDS) | RESERVED | {"in"}  # that no name of a variable or function can be
QUOTED = "-./ _0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"  # in backticks


# What would stand in for something wrong (`Problem.stand_in`).
OPERAND = " 0 "
NAME = " x "
VALUE = " : 0 "
NOTHING = " "

NONE, OR, AND, RELATION, SUM, PRODUCT = range(6)


class Scanner:
    """After `peek`, `operator`, its `precedence` and its `width` are what stands at `position`;
    NONE: nothing that joins two operands."""

    __slots__ = (
        "end",
        "issues",
        "logical",
        "lost",
        "minus",
        "operator",
        "optionals",
        "position",
        "precedence",
        "problems",
        "quoted",
        "text",
        "width",
    )

    def begin_text(self, text: str, issues: int, optionals: bool) -> None:
        self.text = text + "\0"
        self.end = len(text)
        self.issues = issues  # so many at most
        self.optionals = optionals  # whether `?` may ask for an optional value
        self.position = 0
        self.minus = -1  # where the sign of the number stands that is being read
        self.quoted = False  # whether the last selector was in backticks
        self.lost = False
        self.operator = ""
        self.logical = False  # whether it is `&&` or `||`
        self.precedence = NONE
        self.width = 0
        self.problems: list[Problem] = []

    # -- operators -----------------------------------------------------------------------------

    def peek(self) -> None:
        """Goes to the next lexeme and finds out which operator it is."""
        self.position = position = blank_end(self.text, self.position)
        char = self.text[position]
        self.precedence = NONE
        if char == "=" or char == "&" or char == "|":
            self.peek_double(char)
        elif char == "!":
            if self.text[position + 1] == "=":
                self.found("_!=_", RELATION, 2)
        elif char == "<":
            if self.text[position + 1] == "=":
                self.found("_<=_", RELATION, 2)
            else:
                self.found("_<_", RELATION, 1)
        elif char == ">":
            if self.text[position + 1] == "=":
                self.found("_>=_", RELATION, 2)
            else:
                self.found("_>_", RELATION, 1)
        elif char == "+":
            self.found("_+_", SUM, 1)
        elif char == "-":
            self.found("_-_", SUM, 1)
        elif char == "*":
            self.found("_*_", PRODUCT, 1)
        elif char == "/":
            self.found("_/_", PRODUCT, 1)
        elif char == "%":
            self.found("_%_", PRODUCT, 1)
        elif "a" <= char <= "z":
            self.peek_word()

    def found(self, operator: str, precedence: int, width: int) -> None:
        self.operator = operator
        self.logical = precedence <= AND
        self.precedence = precedence
        self.width = width

    def peek_double(self, char: str) -> None:
        """`==`, `&&`, `||`. One alone is no operator, but it is clear what was meant."""
        width = 2 if self.text[self.position + 1] == char else 1
        if char == "=":
            self.found("_==_", RELATION, width)
        elif char == "&":
            self.found("_&&_", AND, width)
        else:
            self.found("_||_", OR, width)
        if width == 1:
            self.no_operator(self.position + 1, char + char)

    def peek_word(self) -> None:
        """`in`. `and` and `or` are no operators, but it is clear what was meant."""
        end = word_end(self.text, self.position)
        word = self.text[self.position : end]
        if word == "in":
            self.found("@in", RELATION, 2)
        elif word == "and":
            self.found("_&&_", AND, 3)
            self.no_operator(end, "&&")
        elif word == "or":
            self.found("_||_", OR, 2)
            self.no_operator(end, "||")

    # -- small steps ---------------------------------------------------------------------------

    def take_minus(self) -> bool:
        """Whether a minus that is part of an int or double is at the position; then it is read."""
        text = self.text
        if text[self.position] != "-":
            return False
        start = blank_end(text, self.position + 1)
        first = text[start + 1] if text[start] == "." else text[start]
        if not "0" <= first <= "9" or is_unsigned(text, start):
            return False
        self.minus = self.position
        self.position = start
        return True

    def message_follows(self) -> bool:
        """Whether what is at the position makes the word before it the beginning of a message's
        type name, where reserved words may stand."""
        text = self.text
        position = blank_end(text, self.position)
        while text[position] == ".":
            start = blank_end(text, position + 1)
            position = word_end(text, start)
            if position == start:
                return False
            position = blank_end(text, position)
        return text[position] == "{"

    def question(self) -> bool:
        """Reads the `?` of an optional value at the position, if it is one."""
        if self.text[self.position] != "?":
            return False
        if not self.optionals:
            self.problem("no_optionals", self.position, self.position + 1, (), NOTHING)
        self.position = blank_end(self.text, self.position + 1)
        return True

    def colon(self) -> bool:
        """Reads the `:` that must follow; False where it does not."""
        self.position = blank_end(self.text, self.position)
        if self.text[self.position] == ":":
            self.position += 1
            return True
        self.unexpected(VALUE)
        return False

    def selector(self) -> str | None:
        """A field's name, plain or in backticks, and the white space after it."""
        text = self.text
        start = self.position
        self.quoted = text[start] == "`"
        if self.quoted:
            return self.quoted_selector()
        end = start if "0" <= text[start] <= "9" else word_end(text, start)
        name = text[start:end]
        if end == start or end - start <= 5 and (name in KEYWORDS or name == "in"):
            self.unexpected(NAME)
            return None
        self.position = blank_end(text, end)
        return name

    def quoted_selector(self) -> str | None:
        """A field's name in backticks."""
        text = self.text
        start = self.position
        end = text.find("`", start + 1)
        name = text[start + 1 : end]
        if end < 0 or "\n" in name:
            self.problem("unterminated_name", start, self.end, (), NAME)
            self.lost = True
            return None
        if not name or name.strip(QUOTED):
            self.problem("invalid_name", start, end + 1, (name,), NAME)
        self.position = blank_end(text, end + 1)
        return name

    def begin(self, closer: str) -> int:
        """Behind an opening bracket: 1 where an item comes, 0 where `closer` came (a comma before
        it may stand alone), -1 where the parser is lost."""
        self.position = blank_end(self.text, self.position + 1)
        char = self.text[self.position]
        if char == ",":
            self.position = blank_end(self.text, self.position + 1)
            if self.text[self.position] != closer:
                self.unexpected(NOTHING)
                return self.recover(closer, True)
        elif char != closer:
            return 1
        self.position += 1
        return 0

    def after(self, item: Expr | None, closer: str, trailing: bool) -> int:
        """Behind an item (None: lost in it), as `begin`; with `trailing`, a comma may stand before
        the closer."""
        char = self.text[self.position]
        more = 1
        if item is None or char != "," and char != closer:
            if item is not None:
                self.unexpected(NOTHING)
            more = self.recover(closer, True)
        else:
            self.position += 1
            if char == closer:
                return 0
        if more > 0:
            self.position = blank_end(self.text, self.position)
            if (trailing or item is None) and self.text[self.position] == closer:
                self.position += 1
                return 0
        return more

    # -- what is wrong -------------------------------------------------------------------------

    def problem(
        self, code: str, start: int, end: int, details: tuple[str, ...], stand_in: str
    ) -> None:
        if not self.lost:
            self.problems.append(Problem(code, start, end, details, stand_in))
            self.lost = len(self.problems) >= self.issues

    def limit(self, name: str, bound: int, position: int) -> Expr | None:
        """A limit is passed: nothing more is read, and nothing more is said."""
        self.problem("limit_exceeded", position, position, (name, str(bound)), NOTHING)
        self.lost = True
        return None

    def no_operator(self, end: int, meant: str) -> None:
        """What stands at the position is no operator, but `meant` was meant."""
        found = self.text[self.position : end]
        self.problem("wrong_operator", self.position, end, (found, meant), meant)

    def unexpected(self, stand_in: str) -> Expr | None:
        """What stands at the position cannot stand there."""
        start = self.position
        end = lexeme_end(self.text, start)
        found = self.text[start:end]
        code = "unexpected"
        if start == self.end:
            code, found, end = "unexpected_end", "", start
        elif not is_lexical(found[0]):
            code = "invalid_character"
        self.problem(code, start, end, (found,), stand_in)
        return None

    def recover(self, closer: str, commas: bool) -> int:
        """Goes behind the next `closer` (0), or comma if `commas` (1), of the bracket that is
        open; -1 where the brackets up to there do not match, and nothing can be relied upon."""
        if self.lost:
            return -1
        found = next_closer(self.text, self.position, closer, commas)
        if found < 0:
            return -1
        self.problems[-1].end = found
        self.position = found + 1
        return 1 if self.text[found] == "," else 0
