"""Regular expressions as automata: reading them, and making them deterministic.

An automaton tells the characters of ASCII apart. All others are one more, which is in a class or
is not; where a pattern tells them apart too, the automaton is for texts of ASCII only. What few
patterns have is not read: most flags, lines, quotations. `automaton` runs what is made here.

Laws: a pattern that is read has been accepted by RE2, and means here what it means there. The
automaton is bounded, whatever the pattern is: `plan` gives None rather than a large one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

OTHER = 128  # the character that stands for all that are not ASCII
SYMBOLS = 129
ALL = (1 << SYMBOLS) - 1  # a set of characters is an int, with a bit for each
STATES = 64  # a pattern of a policy has five
INSTRUCTIONS = 400
VISITS = 20_000  # of instructions while an automaton is made: some milliseconds
DEPTH = 40  # of groups, and of repetitions in one another
UNBOUNDED = -1


def _set(characters: str) -> int:
    return sum(1 << ord(character) for character in set(characters))


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = _set("0123456789")
_WORDS = _set(_LETTERS + "_") | _DIGITS
_SPACES = _set("\t\n\f\r ")
_CLASSES = {
    "d": _DIGITS,
    "D": ALL ^ _DIGITS,
    "w": _WORDS,
    "W": ALL ^ _WORDS,
    "s": _SPACES,
    "S": ALL ^ _SPACES,
}
_UNICODE = {"L": _set(_LETTERS), "N": _DIGITS, "Nd": _DIGITS} | {
    "Lu": _set(_LETTERS[26:]),
    "Ll": _set(_LETTERS[:26]),
}
_NAMED = {
    "alpha": _set(_LETTERS),
    "digit": _DIGITS,
    "word": _WORDS,
    "alnum": _set(_LETTERS) | _DIGITS,
    "lower": _set(_LETTERS[:26]),
    "upper": _set(_LETTERS[26:]),
    "space": _set("\t\n\v\f\r "),
}
_CONTROLS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ")


class NotRegularError(Exception):
    """The pattern has something that is not read here, or more than there is room for."""


# -- reading: a pattern becomes a program, which may be in several places at once -----------------

CHARACTERS, SPLIT, BEGIN, END, BOUNDARY, INSIDE, MATCH = range(7)
Hole = tuple[int, int]  # an instruction, and which of its two targets is not known yet


_ASSERTIONS = {"A": BEGIN, "z": END, "b": BOUNDARY, "B": INSIDE}


class Piece(NamedTuple):
    """A part of the program: where it begins, and what waits for where it goes on."""

    start: int
    holes: list[Hole]


class Compiler:
    """Reads a pattern and writes its program: `code` has for each instruction its operation, its
    set of characters, and its two targets. With `ascii` the program is for texts of ASCII only."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.ascii = False
        self.folds = False  # `(?i)`: a letter means both
        self.newlines = False  # `(?s)`: a dot means a line break too
        self.index = 0
        self.depth = 0
        self.code: list[list[int]] = []

    def program(self) -> tuple[list[list[int]], int]:
        """The instructions, and the first of them."""
        piece = self.alternatives()
        if self.index < len(self.pattern):
            raise NotRegularError
        self.join(piece.holes, self.emit(MATCH))
        return self.code, piece.start

    # -- the program -----------------------------------------------------------------------------

    def emit(self, operation: int, characters: int = 0, first: int = -1, second: int = -1) -> int:
        if len(self.code) >= INSTRUCTIONS:
            raise NotRegularError
        self.code.append([operation, characters, first, second])
        return len(self.code) - 1

    def join(self, holes: list[Hole], target: int) -> None:
        for instruction, which in holes:
            self.code[instruction][2 + which] = target

    def one(self, operation: int, characters: int = 0) -> Piece:
        instruction = self.emit(operation, characters)
        return Piece(instruction, [(instruction, 0)])

    def nothing(self) -> Piece:
        instruction = self.emit(SPLIT)
        return Piece(instruction, [(instruction, 0)])

    # -- the pattern -----------------------------------------------------------------------------

    def peek(self) -> str:
        return self.pattern[self.index : self.index + 1]

    def take(self, text: str) -> bool:
        if not self.pattern.startswith(text, self.index):
            return False
        self.index += len(text)
        return True

    def next(self) -> str:
        character = self.peek()
        if not character:
            raise NotRegularError
        self.index += 1
        return character

    def alternatives(self) -> Piece:
        piece = self.sequence()
        while self.take("|"):
            other = self.sequence()
            split = self.emit(SPLIT, 0, piece.start, other.start)
            piece = Piece(split, piece.holes + other.holes)
        return piece

    def sequence(self) -> Piece:
        piece = self.nothing()
        while self.peek() and self.peek() not in "|)":
            begin = self.index
            operand = self.operand()
            operand = self.repeated(operand, begin)
            self.join(piece.holes, operand.start)
            piece = Piece(piece.start, operand.holes)
        return piece

    def operand(self) -> Piece:
        character = self.next()
        if character == "(":
            return self.group()
        if character == "[":
            return self.one(CHARACTERS, self.bracket())
        if character == ".":
            return self.one(CHARACTERS, ALL if self.newlines else ALL ^ _set("\n"))
        if character == "^":
            return self.one(BEGIN)
        if character == "$":
            return self.one(END)
        if character == "\\":
            if self.peek() in _ASSERTIONS:
                # RE2 looks between bytes, and finds itself inside within any other character.
                self.ascii = self.ascii or self.peek() == "B"
                return self.one(_ASSERTIONS[self.next()])
            return self.one(CHARACTERS, self.escaped()[1])
        if character in "*+?{":
            raise NotRegularError
        return self.one(CHARACTERS, self.literal(character))

    def group(self) -> Piece:
        before = self.folds, self.newlines
        if self.take("?") and not self.take(":"):
            if self.take("P<") or self.take("<"):
                while self.next() != ">":
                    pass
            elif self.flags():
                return self.nothing()
        self.depth += 1
        if self.depth > DEPTH:
            raise NotRegularError
        piece = self.alternatives()
        self.depth -= 1
        if not self.take(")"):
            raise NotRegularError
        self.folds, self.newlines = before
        return piece

    def flags(self) -> bool:
        """Flags after `(?`: whether they are for what follows instead of for the group."""
        while (flag := self.next()) in "is":
            self.folds = self.folds or flag == "i"
            self.newlines = self.newlines or flag == "s"
        if flag not in ":)":
            raise NotRegularError
        return flag == ")"

    def literal(self, character: str) -> int:
        """The set of a character that means itself."""
        if ord(character) >= OTHER:
            self.ascii = True
            return 0
        return self.folded(_set(character))

    def folded(self, characters: int) -> int:
        """The characters, where letters mean both also those of the other case."""
        if not self.folds or not characters & _set(_LETTERS):
            return characters
        self.ascii = True  # some letters outside ASCII are the other case of one in it
        lower = characters >> (ord("a") - ord("A")) & _set(_LETTERS[26:])
        upper = characters << (ord("a") - ord("A")) & _set(_LETTERS[:26])
        return characters | lower | upper

    def escaped(self) -> tuple[int, int]:
        """What is behind a backslash: the code point of a character, or -1; and its set."""
        character = self.next()
        if character in _CLASSES:
            return -1, _CLASSES[character]
        if character in "pP":
            return -1, self.unicode_class(character == "P")
        if character in _CONTROLS:
            character = _CONTROLS[character]
        elif character not in _PUNCTUATION:
            raise NotRegularError
        return ord(character), self.literal(character)

    def unicode_class(self, negated: bool) -> int:
        name = self.next()
        if name == "{":
            begin = self.index
            while self.next() != "}":
                pass
            name = self.pattern[begin : self.index - 1]
        if name not in _UNICODE or self.folds:
            raise NotRegularError
        self.ascii = True
        return ALL ^ _UNICODE[name] if negated else _UNICODE[name]

    def bracket(self) -> int:
        negated = self.take("^")
        found = 0
        first = True
        while first or self.peek() != "]":
            first = False
            code, characters = self.member()
            ranges = self.peek() == "-" and self.pattern[self.index + 1 : self.index + 2] != "]"
            if ranges and code >= 0:
                self.index += 1
                characters = self.range(code, self.member()[0])
            found |= characters
        self.index += 1
        return ALL ^ found if negated else found

    def member(self) -> tuple[int, int]:
        """A character, with its code point, or a class, with -1; and its set."""
        if self.take("[:"):
            end = self.pattern.find(":]", self.index)
            name = self.pattern[self.index : end]
            if end < 0 or name not in _NAMED or self.folds:
                raise NotRegularError
            self.index = end + 2
            return -1, _NAMED[name]
        character = self.next()
        return self.escaped() if character == "\\" else (ord(character), self.literal(character))

    def range(self, first: int, last: int) -> int:
        """The characters from one to another, given as code points."""
        if not first <= last:
            raise NotRegularError
        if last >= OTHER:
            self.ascii = True
        return self.folded((1 << min(last + 1, OTHER)) - (1 << min(first, OTHER)))

    # -- repetition ------------------------------------------------------------------------------

    def repeated(self, operand: Piece, begin: int) -> Piece:
        """An operand with the repetition behind it. One that is repeated a number of times is read
        as often, from `begin` on."""
        end = self.index
        least, most = self.repetition()
        if (least, most) == (1, 1):
            return operand
        self.take("?")  # whether as much or as little as possible is taken, it is taken or not
        after = self.index
        if self.peek() and self.peek() in "*+?{":
            raise NotRegularError
        piece = operand if least else self.optional(operand, most)
        for count in range(1, max(least, most)):
            self.index = begin
            copy = self.operand()
            assert self.index == end
            if count >= least:
                copy = self.optional(copy, 1)
            elif most == UNBOUNDED and count == least - 1:
                copy = self.optional(copy, UNBOUNDED, 1)
            self.join(piece.holes, copy.start)
            piece = Piece(piece.start, copy.holes)
        if most == UNBOUNDED and least == 1:
            piece = self.optional(piece, UNBOUNDED, 1)
        self.index = after
        return piece if most else self.nothing()

    def optional(self, operand: Piece, most: int, least: int = 0) -> Piece:
        """An operand once or never; with `most` unbounded, again and again; with `least`, once at
        least."""
        split = self.emit(SPLIT, 0, operand.start)
        if most == UNBOUNDED:
            self.join(operand.holes, split)
            return Piece(operand.start if least else split, [(split, 1)])
        return Piece(split, [*operand.holes, (split, 1)])

    def repetition(self) -> tuple[int, int]:
        """How often at least and at most."""
        if self.take("*"):
            return 0, UNBOUNDED
        if self.take("+"):
            return 1, UNBOUNDED
        if self.take("?"):
            return 0, 1
        if not self.take("{"):
            return 1, 1
        least = self.number()
        most = least
        if self.take(","):
            most = UNBOUNDED if self.peek() == "}" else self.number()
        if not self.take("}") or (least, most) == (1, 1):
            raise NotRegularError
        return least, most

    def number(self) -> int:
        begin = self.index
        while self.peek() and self.peek() in "0123456789":
            self.index += 1
        digits = self.pattern[begin : self.index]
        if not 0 < len(digits) <= 3:
            raise NotRegularError
        return int(digits)


# -- determinism: all places that the program may be in are one state -----------------------------

DEAD, ACCEPTED, FIRST = range(3)  # nothing can match any more; something has; where it begins


class State(NamedTuple):
    """Where the program may be, whether the character before is one of a word, and whether there is
    none."""

    places: frozenset[int]
    word: bool
    first: bool = False


class Table(NamedTuple):
    """A deterministic automaton. `classes` has the class of each of the SYMBOLS, `steps` for each
    state and class (`state * width + class`) the next state, `ends` for each state 1 if the text
    matches where it ends there. With `ascii` it is for texts of ASCII only."""

    classes: bytes
    width: int
    steps: bytes
    ends: bytes
    ascii: bool


def plan(pattern: str) -> Table | None:
    """The automaton of a pattern that RE2 accepts, searched for anywhere in a text; None where it
    is not read here, or would be large."""
    compiler = Compiler(pattern)
    try:
        code, start = compiler.program()
        return _States(code, start).table(compiler.ascii)
    except NotRegularError:
        return None


class _States:
    """The states of a program, as they are found."""

    def __init__(self, code: list[list[int]], start: int) -> None:
        self.code = code
        self.start = start
        self.bounded = any(operation in (BOUNDARY, INSIDE) for operation, *_ in code)
        self.visits = 0
        self.numbers: dict[State, int] = {}
        self.states: list[State] = []

    def table(self, ascii: bool) -> Table:
        classes, members = self.character_classes()
        width = len(members)
        # Where a text begins is a state of its own: nothing leads back there.
        begin = State(self.closure([self.start], begins=True), False, True)
        rows = [bytes([DEAD]) * width, bytes([ACCEPTED]) * width]
        if self.matches(begin.places):
            return Table(classes, width, b"".join([*rows, rows[ACCEPTED]]), b"\0\1\1", ascii)
        self.states = [begin]
        done = 0
        while done < len(self.states):
            state = self.states[done]
            done += 1
            rows.append(bytes(self.step(state, member) for member in members))
        ends = bytes([0, 1, *map(self.at_end, self.states)])
        return Table(classes, width, b"".join(rows), ends, ascii)

    def step(self, state: State, character: int) -> int:
        """The number of the state after a character."""
        places, word = state.places, bool(_WORDS >> character & 1)
        if self.bounded:
            places = self.closure(places, begins=state.first, boundary=word != state.word)
            if self.matches(places):
                return ACCEPTED
        reached = [self.start]
        self.visits += len(places)
        for place in places:
            operation, characters, target, _ = self.code[place]
            if operation == CHARACTERS and characters >> character & 1:
                reached.append(target)
        after = State(self.closure(reached), word and self.bounded)
        if not after.places:
            return DEAD
        if self.matches(after.places):
            return ACCEPTED
        number = self.numbers.get(after)
        if number is None:
            number = self.numbers[after] = FIRST + len(self.states)
            self.states.append(after)
            if len(self.states) > STATES:
                raise NotRegularError
        return number

    def at_end(self, state: State) -> int:
        places = self.closure(state.places, begins=state.first, ends=True, boundary=state.word)
        return int(self.matches(places))

    def closure(
        self,
        places: Iterable[int],
        begins: bool = False,
        ends: bool = False,
        boundary: bool | None = None,
    ) -> frozenset[int]:
        """Where the program may be without another character: places that read one, and those that
        wait for the end, or as long as no `boundary` is known for one."""
        passes = {SPLIT: True, BEGIN: begins, END: ends}
        waits = {CHARACTERS, MATCH} | (set() if ends else {END})
        if boundary is None:
            waits |= {BOUNDARY, INSIDE}
        else:
            passes |= {BOUNDARY: boundary, INSIDE: not boundary}
        found: set[int] = set()
        seen = {-1}  # where a SPLIT has one target only
        pending = list(places)
        while pending:
            place = pending.pop()
            if place in seen:
                continue
            seen.add(place)
            self.visits += 1
            operation, _, first, second = self.code[place]
            if operation in waits:
                found.add(place)
            elif passes[operation]:
                pending += first, second
        if self.visits > VISITS:
            raise NotRegularError
        return frozenset(found)

    def matches(self, places: frozenset[int]) -> bool:
        return any(self.code[place][0] == MATCH for place in places)

    def character_classes(self) -> tuple[bytes, list[int]]:
        """The class of each character, and one character of each class: those that no set of the
        program tells apart are one class."""
        sets = {code[1] for code in self.code if code[0] == CHARACTERS}
        if self.bounded:
            sets.add(_WORDS)
        numbers: dict[tuple[int, ...], int] = {}
        members: list[int] = []
        classes = bytearray()
        for character in range(SYMBOLS):
            signature = tuple(each >> character & 1 for each in sets)
            if signature not in numbers:
                numbers[signature] = len(members)
                members.append(character)
            classes.append(numbers[signature])
        return bytes(classes), members
