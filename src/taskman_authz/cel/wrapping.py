"""Text to the same text, laid out as a person would lay it out: only white space changes.

Lines that are too long are broken at the operators that bind the least, each at the beginning of a
line, then in brackets. Literals, parentheses and comments stay as they are written; a comment
behind an operator that begins a new line goes before it.

Laws: laying out twice is laying out once; a line is longer than the width only where it holds one
name or literal. No frame of Python is spent on a level of the text: who needs the document of an
expression within another one yields the least precedence of its operators and is sent it.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TypeAlias

from .lexemes import Lexeme, Remark, lexemes
from .linebreaks import LINE, SOFT, Attached, Break, Doc, Group, Nest, render

# The least precedence is that of a whole expression, the ternary too.
WHOLE, OR, AND, RELATION, SUM, PRODUCT = range(6)
PRECEDENCES = {
    "||": OR, "&&": AND,
    "==": RELATION, "!=": RELATION, "<": RELATION, "<=": RELATION, ">": RELATION, ">=": RELATION,
    "in": RELATION, "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "%": PRODUCT,
}  # fmt: skip
CLOSERS = {"(": ")", "[": "]", "{": "}"}
BOUND = 2  # names that a macro binds at most
# Macros whose first arguments name what the last ones are about: the names stay on the first line.
BINDERS = frozenset(
    "all exists exists_one existsOne filter map optMap optFlatMap bind transformList transformMap "
    "transformMapEntry".split()
)

Walk: TypeAlias = Generator[int, Doc, Doc]


def laid_out(text: str, width: int) -> str:
    """The text of an expression that parses, laid out to `width` columns."""
    return render(Layouter(lexemes(text)).document(), width).rstrip()


class Operation(Group):
    """Operands joined by operators, without parentheses around them."""


class Chain(Operation):
    """Of `&&` or `||`, whose operators stand below its first operand."""


class Brackets(Group):
    """Something in brackets that can be broken behind the opening one."""


class Layouter:
    """Lexemes to documents. `next` is the lexeme at which the layouter is."""

    def __init__(self, found: Sequence[Lexeme]) -> None:
        self.lexemes = found
        self.index = 0
        self.remarks: list[Remark] = list(found[0].remarks)  # of `next`, that stand nowhere yet

    @property
    def next(self) -> str:
        return self.lexemes[self.index].text

    def ahead(self) -> str:
        """The lexeme after the next."""
        return self.lexemes[min(self.index + 1, len(self.lexemes) - 1)].text

    def document(self) -> Doc:
        """The document of the whole text."""
        begin = self.pending()
        begin += [SOFT] if begin else []
        walks = [self.expression(WHOLE)]
        doc: Doc = ""
        begun = False
        while walks:
            try:
                least = walks[-1].send(doc) if begun else next(walks[-1])
            except StopIteration as done:
                doc = done.value
                walks.pop()
                begun = True
            else:
                walks.append(self.expression(least))
                begun = False
        return [*begin, doc, *self.pending()]

    # -- lexemes -------------------------------------------------------------------------------

    def pending(self) -> list[Doc]:
        """The comments before the next lexeme that have not been placed."""
        found: list[Doc] = [*self.remarks]
        self.remarks = []
        return found

    def take(self) -> Doc:
        """The next lexeme; before it what comments nobody placed."""
        found = [*self.pending(), self.next]
        self.index += 1
        self.remarks = list(self.lexemes[self.index].remarks)
        return found if len(found) > 1 else found[0]

    def taken(self, *texts: str) -> list[Doc]:
        """The next lexeme if it is one of `texts`, else nothing."""
        return [self.take()] if self.next in texts else []

    # -- operators -----------------------------------------------------------------------------

    def expression(self, least: int) -> Walk:
        """Operands joined by operators of precedence `least` and above."""
        doc = yield from self.operand()
        while (precedence := PRECEDENCES.get(self.next, WHOLE)) > WHOLE and precedence >= least:
            doc = yield from self.chain(doc, precedence)
        if least == WHOLE and self.next == "?":
            doc = yield from self.conditional(doc)
        return doc

    def chain(self, first: Doc, precedence: int) -> Walk:
        """`first` and what operators of one precedence join to it."""
        parts: list[Doc] = []
        count = 0
        remarked = False
        while PRECEDENCES.get(self.next) == precedence:
            remarks, operator = self.operator()
            operand = yield precedence + 1
            parts += *remarks, LINE, operator, nested(operand)
            remarked = remarked or bool(remarks)
            count += 1
        if precedence <= AND:
            return Chain([nested(first), *parts])
        if count == 1 and not remarked and not isinstance(first, Operation):
            return Operation([first, attached(parts[:-1], parts[-1])])
        return Operation([Nest([first]), Nest(parts)])

    def operator(self) -> tuple[list[Doc], Doc]:
        """The next operator as the beginning of a line, and before it the comments around it."""
        remarks = self.pending()
        text = self.next
        self.take()
        return remarks + self.pending(), f"{text} "

    def conditional(self, condition: Doc) -> Walk:
        """`condition ? … : … ? … : …`"""
        parts: list[Doc] = []
        while self.next == "?":
            for least in (OR, OR):
                remarks, sign = self.operator()
                parts += *remarks, LINE, sign, nested((yield least))
        return Operation([condition, Nest(parts)])

    # -- operands ------------------------------------------------------------------------------

    def operand(self) -> Walk:
        """A literal, name or something in brackets, signs before it, and what is applied to it."""
        doc: list[Doc] = []
        while self.next in ("!", "-"):
            doc.append(self.take())
        doc += self.taken(".")
        if self.next in CLOSERS:
            doc.append((yield from self.brackets()))
        else:
            doc.append(self.take())
        links: list[list[Doc]] = []  # each a call of a method, and what is applied to it
        while self.next in CLOSERS or self.next == ".":
            if self.next != ".":
                (links or [doc])[-1].append((yield from self.brackets()))
                continue
            selected = [self.take(), *self.taken("?")]
            calls = self.ahead() == "("
            name = self.next
            selected.append(self.take())
            if calls:
                links.append([*selected, (yield from self.brackets(name))])
            else:
                (links or [doc])[-1].extend(selected)
        if len(links) > 1:
            return Group([*doc, Nest([part for link in links for part in (SOFT, *link)])])
        return [*doc, *(part for link in links for part in link)]

    # -- brackets ------------------------------------------------------------------------------

    def brackets(self, called: str = "") -> Walk:
        """What stands in brackets, separated by commas; `called`: the arguments of this method."""
        closer = CLOSERS[self.next]
        opening = self.take()
        remarks = self.pending()
        names = self.binder_names() if called in BINDERS and not remarks else []
        if self.next == closer:
            return (
                Brackets([opening, Nest(remarks), SOFT, self.take()])
                if remarks
                else [
                    opening,
                    self.take(),
                ]
            )
        inner: list[Doc] = [*remarks, SOFT]
        if names:
            inner = [*names, *self.pending(), LINE]
        while self.next != closer:
            inner.append((yield from self.item()))
            remarks = self.pending()
            inner += *self.taken(","), *remarks, *self.pending()
            if self.next != closer:
                inner.append(LINE)
        match inner:
            case [Break(), [Brackets() as only]]:  # two brackets are broken as one
                return Brackets([opening, only, self.take()])
        return Brackets([opening, Nest(inner), SOFT, self.take()])

    def binder_names(self) -> list[Doc]:
        """The names that a macro binds, each with its comma; what they are about comes after."""
        names: list[Doc] = []
        while len(names) < BOUND and self.next.isidentifier() and self.ahead() == ",":
            names.append(Group([LINE if names else SOFT, self.take(), self.take()]))
        return names

    def item(self) -> Walk:
        """An argument, an element or an entry."""
        mark = self.taken("?")
        doc = yield WHOLE
        if self.next != ":":
            return [*mark, doc] if mark else doc
        remarks = self.pending()
        colon = self.take()
        remarks += self.pending()
        value = yield WHOLE
        return [*mark, doc, colon, attached([*remarks, LINE], value)]


def nested(doc: Doc) -> Doc:
    """An operand, further in where it is a chain itself."""
    return Nest([doc]) if isinstance(doc, Chain) else doc


def attached(lead: Sequence[Doc], body: Doc) -> Attached:
    last = body[-1] if isinstance(body, list) and body else body
    return Attached(lead, body, isinstance(last, Brackets))
