"""Comparisons of one attribute with several texts become one look-up.

Law: `a == 'x' || a == 'y'` means `a in ['x', 'y']`, faults included: whatever the attribute is that
is no text, all comparisons come to the same. The look-up stands where the first comparison stood,
which is where a fault of the attribute is told.
"""

from __future__ import annotations

from typing import Any

from .._fast import nodes, relations

# From so many texts on, a look-up in a set takes less than comparing with each of them.
CHOICES = 4

Node = nodes.Node
Compared = tuple[nodes.Attribute, frozenset[str]]


def choices(
    operands: tuple[Any, ...], negated: bool, reads: dict[int, list[nodes.Attribute]]
) -> tuple[Any, ...]:
    """The operands of `||` (with `negated`, of `&&`), those that compare one attribute with texts
    as one of them. `reads` has the readers of each slot: those that go are taken out."""
    if len(operands) < CHOICES and not _any_choice(operands):
        return operands
    compared = [_compared(operand, negated) for operand in operands]
    if compared.count(None) >= len(compared) - 1:  # nothing to join
        return operands
    texts: dict[int, frozenset[str]] = {}
    for one in compared:
        if one is not None:
            texts[one[0].slot] = texts.get(one[0].slot, frozenset()) | one[1]
    wide = {slot for slot, words in texts.items() if len(words) >= CHOICES}
    if not wide:
        return operands
    made: list[Node] = []
    seen: set[int] = set()
    for operand, one in zip(operands, compared, strict=True):
        if one is None or one[0].slot not in wide:
            made.append(operand)
            continue
        attribute, slot = one[0], one[0].slot
        if slot in seen:
            reads[slot] = [reader for reader in reads[slot] if reader is not attribute]
        else:
            seen.add(slot)
            made.append(relations.InTexts(attribute, texts[slot], negated, operand.position))
    return tuple(made)


def _any_choice(operands: tuple[Any, ...]) -> bool:
    for operand in operands:
        if type(operand) is relations.InTexts:
            return True
    return False


def _compared(node: Node, negated: bool) -> Compared | None:
    """The attribute and the texts of `a == 'x'` and `a in ['x', 'y']`, or with `negated` of
    `a != 'x'`."""
    if type(node) is relations.EqualText and node.negated is negated:
        operand, texts = node.operand, frozenset((node.text,))
    elif type(node) is relations.InTexts and node.negated is negated:
        operand, texts = node.member, node.texts
    else:
        return None
    return (operand, texts) if type(operand) is nodes.Attribute else None
