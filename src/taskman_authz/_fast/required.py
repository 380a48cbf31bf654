"""What a condition requires of attributes: equalities without which it is not true.

`resource.project == 'p17' && …` requires of `resource.project` that it is one of the texts {'p17'}.
So do `'p17' == …`, `… in ['p17', 'p18']`, and an `||` whose every side requires it of one path.

Laws, by the definitions of `==`, `in`, `&&` and `||` (language definition, "Equality", "Logical
Operators"): where the attribute is none of the texts, an error included, the condition is not true;
where it is none of them and no error, the condition is false, whatever its other parts come to,
because one false operand makes `&&` false even beside an error.
"""

from __future__ import annotations

from .logic import And, Or
from .nodes import Attribute, Node
from .relations import EqualText, InTexts

# A condition that names more texts is not found by them: it would stand in the index under each.
MOST_TEXTS = 100


class Required:
    """That the attribute which `reader` reads is one of `texts`, which are sorted."""

    __slots__ = ("reader", "texts")

    def __init__(self, reader: Attribute, texts: tuple[str, ...]) -> None:
        self.reader = reader
        self.texts = texts


def required_of(condition: Node | None) -> tuple[Required, ...]:
    """All that a condition requires, by slot."""
    found = {} if condition is None else _required(condition)
    return tuple([found[slot] for slot in sorted(found) if len(found[slot].texts) <= MOST_TEXTS])


def _required(node: Node) -> dict[int, Required]:
    if type(node) is EqualText:
        equal: EqualText = node
        return _of(equal.operand, (equal.text,), equal.negated)
    if type(node) is InTexts:
        member: InTexts = node
        return _of(member.member, tuple(sorted(member.texts)), member.negated)
    if type(node) is And:
        every: And = node
        return _all(every.operands)
    if type(node) is Or:
        either: Or = node
        return _any(either.operands)
    return {}


def _of(operand: Node, texts: tuple[str, ...], negated: bool) -> dict[int, Required]:
    if negated or type(operand) is not Attribute:
        return {}
    reader: Attribute = operand
    return {reader.slot: Required(reader, texts)}


def _all(operands: tuple[Node, ...]) -> dict[int, Required]:
    """What any operand of `&&` requires, all of them require."""
    found: dict[int, Required] = {}
    for operand in operands:
        for slot, one in _required(operand).items():
            known = found.get(slot)
            found[slot] = one if known is None else _both(known, one)
    return found


def _both(one: Required, other: Required) -> Required:
    return Required(one.reader, tuple(sorted(set(one.texts) & set(other.texts))))


def _any(operands: tuple[Node, ...]) -> dict[int, Required]:
    """What every operand of `||` requires of one attribute: one of the texts of any."""
    found = _required(operands[0])
    for operand in operands[1:]:
        other = _required(operand)
        found = {slot: _either(one, other[slot]) for slot, one in found.items() if slot in other}
    return found


def _either(one: Required, other: Required) -> Required:
    return Required(one.reader, tuple(sorted(set(one.texts) | set(other.texts))))
