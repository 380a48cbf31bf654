"""An explanation as people and programs read it: an indented tree, and JSON.

Laws: a part is a line, its text and what it came to; an error's message stands once, at the part
where it came about; a turn of a loop is the part that it evaluates, with the loop's variables
before it; values are shortened for people, never for programs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TextIO

from ..cel import Explanation, Turn
from .frame import DIM, GREEN, RED, painted
from .printing import cel_text, json_value

YELLOW = "33"
INDENT = "  "
VALUE_LENGTH = 100  # code points


def explanation_text(explanation: Explanation, stream: TextIO) -> str:
    """The tree, in colour where `stream` is a terminal."""
    return "\n".join(explanation_lines(explanation, stream))


def explanation_lines(explanation: Explanation, stream: TextIO, indent: str = "") -> Iterator[str]:
    """The lines of the tree, each behind `indent`."""
    return _Lines(stream).part(explanation, indent)


class _Lines:
    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def part(self, part: Explanation, indent: str, head: str = "") -> Iterator[str]:
        head = f"{part.name} = " if part.name else head
        yield f"{indent}{head}{part.text}  {self.outcome(part)}"
        for inner in part.parts:
            yield from self.part(inner, indent + INDENT)
        last = 0
        for turn in part.turns:
            if turn.number > last + 1:
                yield indent + INDENT + self.dim(_omitted(turn.number - last - 1))
            yield from self.turn(turn, indent + INDENT)
            last = turn.number

    def turn(self, turn: Turn, indent: str) -> Iterator[str]:
        variables = ", ".join(f"{name} = {_short(cel)}" for name, cel in turn.variables.items())
        if len(turn.parts) == 1:
            yield from self.part(turn.parts[0], indent, f"{variables}:  ")
            return
        yield f"{indent}{variables}"
        for part in turn.parts:
            yield from self.part(part, indent + INDENT)

    def outcome(self, part: Explanation) -> str:
        arrow = self.dim("->")
        if not part.evaluated:
            return self.dim("(not evaluated)")
        if part.error is not None:
            message = "error" if part.origin is not part else f"error: {part.error.message}"
            return f"{arrow} {painted(message, RED, self.stream)}"
        colour = {True: GREEN, False: YELLOW}.get(part.value) if type(part.value) is bool else None
        text = _short(part.value)
        return f"{arrow} {painted(text, colour, self.stream) if colour else text}"

    def dim(self, text: str) -> str:
        return painted(text, DIM, self.stream)


def _omitted(count: int) -> str:
    return f"... {count} more {'turn' if count == 1 else 'turns'}"


def _short(value: Any) -> str:
    text = cel_text(value)
    return text if len(text) <= VALUE_LENGTH else f"{text[: VALUE_LENGTH - 3]}..."


# -- JSON -----------------------------------------------------------------------------------------


def explanation_json(part: Explanation) -> dict[str, Any]:
    """The tree as something that `json.dumps` writes."""
    made: dict[str, Any] = {"text": part.text, "line": part.line, "column": part.column}
    if part.name:
        made["name"] = part.name
    made["evaluated"] = part.evaluated
    if part.error is not None:
        made["error"] = {"code": part.error.code, "message": part.error.message}
    elif part.evaluated:
        made["value"] = json_value(part.value)
    if part.parts:
        made["parts"] = [explanation_json(inner) for inner in part.parts]
    if part.turns:
        made["turn_count"] = part.turn_count
        made["turns"] = [_turn_json(turn) for turn in part.turns]
    return made


def _turn_json(turn: Turn) -> dict[str, Any]:
    return {
        "number": turn.number,
        "variables": {name: json_value(value) for name, value in turn.variables.items()},
        "parts": [explanation_json(part) for part in turn.parts],
    }
