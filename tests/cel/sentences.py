"""Texts that a grammar of lark generates, of bounded depth.

(`hypothesis.extra.lark` draws without a bound; on a grammar with as many levels as ours almost all
that it begins grows until hypothesis gives it up.)
"""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st
from lark import Lark
from lark.grammar import Symbol
from lark.lexer import PatternStr

INFINITE = 10**6
LONG = 25  # lexemes, after which a sentence comes to its end


class Productions:
    """The rules of a grammar, with the least depth that each symbol needs."""

    def __init__(self, grammar: Lark, terminals: Mapping[str, st.SearchStrategy[str]]) -> None:
        found, rules, ignored = grammar.grammar.compile(["start"], ())
        self.terminals = {
            terminal.name: st.just(terminal.pattern.value)
            if isinstance(terminal.pattern, PatternStr)
            else st.from_regex(terminal.pattern.to_regexp(), fullmatch=True)
            for terminal in found
        } | dict(terminals)
        self.rules: dict[str, list[list[Symbol]]] = {}
        for rule in rules:
            self.rules.setdefault(rule.origin.name, []).append(list(rule.expansion))
        self.ignored = st.one_of([st.just("")] * 6 + [self.terminals[name] for name in ignored])
        self.depths = dict.fromkeys(self.rules, INFINITE) | dict.fromkeys(self.terminals, 0)
        while self.deepen():
            pass

    def deepen(self) -> bool:
        """One round towards the least depths; whether it changed any."""
        before = dict(self.depths)
        for name, expansions in self.rules.items():
            self.depths[name] = min(map(self.depth, expansions))
        return self.depths != before

    def depth(self, expansion: list[Symbol]) -> int:
        return 1 + max((self.depths[symbol.name] for symbol in expansion), default=0)

    def expansions(self, name: str, room: int) -> list[list[Symbol]]:
        """What a symbol may become with `room` for so many levels, or its least expansion."""
        fitting = [expansion for expansion in self.rules[name] if self.depth(expansion) <= room]
        return fitting or [min(self.rules[name], key=self.depth)]


def sentences(
    grammar: Lark, terminals: Mapping[str, st.SearchStrategy[str]], depth: int
) -> st.SearchStrategy[str]:
    """Sentences of `grammar` with ignored lexemes; `terminals` says what some are drawn from."""
    productions = Productions(grammar, terminals)

    @st.composite
    def sentence(draw: st.DrawFn) -> str:
        text: list[str] = []
        todo = [("start", depth)]
        while todo:
            name, room = todo.pop()
            if name in productions.terminals:
                text += draw(productions.terminals[name]), draw(productions.ignored)
                continue
            expansion = draw(st.sampled_from(productions.expansions(name, room)))
            room = room - 1 if len(text) < LONG else 0
            todo += ((symbol.name, room) for symbol in reversed(expansion))
        return "".join(text)

    return sentence()
