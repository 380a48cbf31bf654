"""Text to tree: the parser of expressions, by precedence climbing, in one scan of the text.

Laws:
- `grammar.lark` of `cel/` is the grammar of record; this parser accepts exactly what it accepts;
- nothing here raises: what is wrong becomes a `Problem`, all of them in one go. After one the
  parser goes on at the next `,` or closing bracket if the brackets up to there match, and stops
  otherwise, so that it never complains about the consequences of its own confusion;
- ids count up in the order in which the operators, names and literals of the text are read;
- everything is bounded: `level` counts what is open around the position (brackets and right
  operands), `height` what a node has below it. A level costs three Python frames at most
  (`binary`, `operand` and one that reads what is between brackets).

A method returns None when it is lost: it has recorded why, and its caller decides where to go on.
"""

from __future__ import annotations

from .expansion import Expansion, MacroTable
from .lexis import (
    PREFIXES,
    Problem,
    blank_end,
    is_lexical,
    number_end,
    number_problem,
    number_value,
    string_end,
    string_value,
    word_end,
)
from .scanner import KEYWORDS, NAME, NOTHING, OPERAND, RESERVED, VALUE, WORDS, Scanner
from .tree import (
    Call,
    Entry,
    Expr,
    Ident,
    Select,
    make_call,
    make_ident,
    make_list,
    make_literal,
    make_map,
    make_select,
    make_struct,
    qualified_name,
)

# The least precedence that `binary` is to read.
WHOLE = 0  # a whole expression, the ternary too
OR = 1  # `||` and above


class ParseResult:
    """`expr` is None where there are `problems`. `macro_calls` maps the id of every expansion to
    the call that was written, as a Call without an id, its arguments as they are in the tree."""

    __slots__ = ("expr", "macro_calls", "problems")

    def __init__(
        self, expr: Expr | None, macro_calls: dict[int, Call], problems: list[Problem]
    ) -> None:
        self.expr = expr
        self.macro_calls = macro_calls
        self.problems = problems


def parse(
    text: str,
    macros: MacroTable,
    length: int,
    depth: int,
    nodes: int,
    issues: int,
    optionals: bool = True,
) -> ParseResult:
    """The tree of `text`, or all that is wrong with it; without `optionals`, the syntax of
    optional values (`a.?b`, `a[?b]`, `[?x]`, `{?k: v}`) is.

    Bounds: `length` of the text in code points, `depth` of nesting and of the tree in levels,
    `nodes` of the tree, number of `issues` after which the parser gives up.
    """
    if len(text) > length:
        problem = Problem("limit_exceeded", length, length, ("expression_length", str(length)))
        return ParseResult(None, {}, [problem])
    surrogate = first_surrogate(text)
    if surrogate >= 0:
        problem = Problem("invalid_character", surrogate, surrogate + 1, (text[surrogate],))
        return ParseResult(None, {}, [problem])
    parser: Parser = Parser.__new__(Parser)  # without Python's argument passing
    parser.begin_text(text, issues, optionals)
    parser.begin_tree(macros, depth, nodes)
    expr = parser.whole()
    problems = parser.problems
    if problems:
        return ParseResult(None, {}, problems[:issues])
    return ParseResult(expr, parser.macro_calls, problems)


def first_surrogate(text: str) -> int:
    """The offset of the first code point that no text can hold, or -1."""
    if text.isascii():
        return -1
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return error.start
    return -1


class Parser(Scanner):
    """One text on its way to a tree. `binary` returns with the operator behind it peeked."""

    __slots__ = ("depth", "level", "macro_calls", "macros", "next_id", "nodes")

    def begin_tree(self, macros: MacroTable, depth: int, nodes: int) -> None:
        self.macros = macros
        self.depth = depth
        self.nodes = nodes
        self.level = 0
        self.next_id = 1
        self.macro_calls: dict[int, Call] = {}

    def whole(self) -> Expr | None:
        """The text as one expression."""
        expr = self.binary(WHOLE)
        if expr is None:
            return None
        if self.position < self.end:
            return self.unexpected(NOTHING)
        if self.next_id > self.nodes:
            return self.limit("expression_nodes", self.nodes, 0)
        return expr

    # -- operators -----------------------------------------------------------------------------

    def binary(self, minimum: int) -> Expr | None:
        """Operands joined by operators of precedence `minimum` and above."""
        if self.level == self.depth:
            return self.limit("expression_depth", self.depth, self.position)
        self.level += 1
        left = self.operand()
        while left is not None and self.precedence > 0 and self.precedence >= minimum:
            if self.logical:
                left = self.chain(left)
            else:
                left = self.join(left)
        if left is not None and minimum == WHOLE and self.text[self.position] == "?":
            left = self.conditional(left)
        self.level -= 1
        return left

    def join(self, left: Expr) -> Expr | None:
        """`left`, the operator at the position and its right operand."""
        position = self.position
        operator = self.operator
        precedence = self.precedence
        self.position += self.width
        id = self.new_id()
        right = self.binary(precedence + 1)
        if right is None:
            return None
        return self.grown(make_call(id, position, operator, None, (left, right)))

    def chain(self, left: Expr) -> Expr | None:
        """`left && … && …`, likewise `||`, as a balanced tree: a long chain stays shallow."""
        operator = self.operator
        precedence = self.precedence
        position = self.position
        self.position += self.width
        right = self.binary(precedence + 1)
        if right is None:
            return None
        id = self.new_id()
        if self.precedence != precedence:
            return self.grown(make_call(id, position, operator, None, (left, right)))
        terms = [left, right]
        ids = [id]
        positions = [position]
        while self.precedence == precedence:
            positions.append(self.position)
            self.position += self.width
            right = self.binary(precedence + 1)
            if right is None:
                return None
            terms.append(right)
            ids.append(self.new_id())
        return self.grown(self.balanced(operator, terms, ids, positions, 0, len(ids) - 1))

    def balanced(
        self,
        operator: str,
        terms: list[Expr],
        ids: list[int],
        positions: list[int],
        low: int,
        high: int,
    ) -> Expr:
        """The operators `low` to `high` of a chain, the middle one on top."""
        middle = (low + high + 1) // 2
        if middle == low:
            left = terms[middle]
        else:
            left = self.balanced(operator, terms, ids, positions, low, middle - 1)
        if middle == high:
            right = terms[middle + 1]
        else:
            right = self.balanced(operator, terms, ids, positions, middle + 1, high)
        return make_call(ids[middle], positions[middle], operator, None, (left, right))

    def conditional(self, left: Expr) -> Expr | None:
        """`left ? … : …`, and so on as long as the last branch is a ternary itself."""
        heads: list[tuple[int, int, Expr, Expr]] = []
        last: Expr | None = left
        while last is not None and self.text[self.position] == "?":
            if len(heads) == self.depth:
                return self.limit("expression_depth", self.depth, self.position)
            position = self.position
            id = self.new_id()
            self.position += 1
            chosen = self.binary(OR)
            if chosen is None:
                return None
            if self.text[self.position] != ":":
                return self.unexpected(VALUE)
            self.position += 1
            heads.append((id, position, last, chosen))
            last = self.binary(OR)
        if last is None:
            return None
        for id, position, condition, chosen in reversed(heads):
            last = make_call(id, position, "_?_:_", None, (condition, chosen, last))
        return self.grown(last)

    # -- operands ------------------------------------------------------------------------------

    def operand(self) -> Expr | None:
        """Signs, something that stands for itself, and everything that is applied to it."""
        text = self.text
        self.position = blank_end(text, self.position)
        char = text[self.position]
        sign = None
        if char == "-" or char == "!":
            sign = self.signs(char)
            char = text[self.position]
        first_id = self.next_id
        named = False
        node: Expr | None
        if "a" <= char <= "z" or "A" <= char <= "Z" or char == "_":
            node = self.word()
            named = type(node) is Ident
        elif char == "(":
            node = self.group()
        elif char == "[":
            node = self.list_literal()
        elif char == "{":
            node = self.map_literal()
        elif char == "." and not "0" <= text[self.position + 1] <= "9":
            node = self.absolute()
            named = True
        else:
            node = self.literal(char)
        while node is not None:
            self.position = blank_end(text, self.position)
            char = text[self.position]
            if char == ".":
                node = self.member(node)
                named = named and type(node) is Select and not self.quoted
            elif char == "[":
                node = self.index(node)
                named = False
            elif char == "(" and node.id == 0:
                node = self.call(node)
                named = False
            elif char == "{" and named:
                self.next_id = first_id
                node = self.message(node)
                named = False
            else:
                break
        if node is None:
            return None
        self.peek()
        if sign is None:
            return node
        sign.args = (node,)
        sign.height = node.height + 1
        return self.grown(sign)

    def signs(self, char: str) -> Call | None:
        """The signs at the position (`!` or `-`, not mixed): the call that they make, still
        without its argument; None where they cancel out or belong to a number."""
        text = self.text
        start = self.position
        count = 0
        while text[self.position] == char:
            count += 1
            self.position = blank_end(text, self.position + 1)
        if char == "!":
            self.take_minus()
        elif count == 1:
            self.position = start
            if self.take_minus():
                return None
            self.position = blank_end(text, start + 1)
        if count % 2 == 0:
            return None
        return make_call(self.new_id(), start, "!_" if char == "!" else "-_", None, ())

    def word(self) -> Expr | None:
        """A name, a keyword's literal or a string with a prefix. A name before a `(` is returned
        as an Ident with the id 0."""
        text = self.text
        start = self.position
        end = word_end(text, start)
        char = text[end]
        if (char == "'" or char == '"') and text[start:end].lower() in PREFIXES:
            return self.string(start, end)
        name = text[start:end]
        self.position = end
        if name in WORDS:
            if name in KEYWORDS:
                return make_literal(self.new_id(), start, KEYWORDS[name])
            if name == "in":
                self.position = start
                return self.unexpected(OPERAND)
            if not self.message_follows():
                self.problem("reserved_word", start, end, (name,), NAME)
        return self.ident(start, name)

    def ident(self, start: int, name: str) -> Ident:
        """The name that was read, as an Ident; its id is 0 where it is that of a function."""
        self.position = blank_end(self.text, self.position)
        return make_ident(0 if self.text[self.position] == "(" else self.new_id(), start, name)

    def absolute(self) -> Expr | None:
        """`.name`"""
        text = self.text
        start = self.position
        self.position = blank_end(text, start + 1)
        end = word_end(text, self.position)
        name = text[self.position : end]
        if not name or "0" <= name[0] <= "9" or name in KEYWORDS or name == "in":
            return self.unexpected(NAME)
        place = self.position
        self.position = end
        if name in RESERVED and not self.message_follows():
            self.problem("reserved_word", place, end, (name,), NAME)
        return self.ident(start, "." + name)

    def literal(self, char: str) -> Expr | None:
        """A number or a string; anything else cannot begin an operand."""
        start = self.position
        if char == "'" or char == '"':
            return self.string(start, start)
        if not ("0" <= char <= "9" or char == "."):
            return self.stray()
        text = self.text
        end = number_end(text, start)
        token = text[start:end]
        position = start if self.minus < 0 else self.minus
        value = number_value(token, self.minus >= 0)
        self.minus = -1
        self.position = end
        rest = word_end(text, end)
        if rest > end and text[end:rest] != "in":
            self.problem("invalid_number", position, rest, (text[start:rest],), OPERAND)
            self.position = rest
        elif value is None:
            self.problem(number_problem(token), position, end, (text[position:end],), OPERAND)
        return make_literal(self.new_id(), position, value)

    def string(self, start: int, quote: int) -> Expr | None:
        """The string or bytes literal that begins at `start`, its first quote at `quote`."""
        text = self.text
        raw = quote > start and text[quote - 1] in "rR"
        end = string_end(text, quote, raw)
        if end < 0:
            self.problem("unterminated_string", start, self.end, (text[quote],), NOTHING)
            self.lost = True
            return None
        self.position = end
        return make_literal(self.new_id(), start, string_value(text, start, end, self.problems))

    def stray(self) -> Expr | None:
        """What no operand begins with. Characters that belong nowhere are passed over, together
        with the word that they are stuck to."""
        text = self.text
        start = self.position
        if is_lexical(text[start]) or start == self.end:
            return self.unexpected(OPERAND)
        while self.position < self.end and not is_lexical(text[self.position]):
            self.position += 1
        found = text[start : self.position]
        self.position = word_end(text, self.position)
        self.problem("invalid_character", start, self.position, (found,), OPERAND)
        return make_literal(self.new_id(), start, None)

    def group(self) -> Expr | None:
        """`( expression )`, which makes no node of its own."""
        start = self.position
        self.position += 1
        inner = self.binary(WHOLE)
        if inner is not None:
            if self.text[self.position] == ")":
                self.position += 1
                return inner
            self.unexpected(NOTHING)
        if self.recover(")", False) < 0:
            return None
        return make_literal(self.new_id(), start, None)

    def list_literal(self) -> Expr | None:
        """`[ a, ?b ]`"""
        start = self.position
        id = self.new_id()
        elements: list[Expr] = []
        optionals: list[int] = []
        more = self.begin("]")
        while more > 0:
            if self.question():
                optionals.append(len(elements))
            element = self.binary(WHOLE)
            if element is not None:
                elements.append(element)
            more = self.after(element, "]", True)
        if more < 0:
            return None
        return self.grown(make_list(id, start, tuple(elements), tuple(optionals)))

    def map_literal(self) -> Expr | None:
        """`{ key: value, ?key: value }`"""
        start = self.position
        id = self.new_id()
        entries: list[Entry] = []
        more = self.begin("}")
        while more > 0:
            optional = self.question()
            place = self.position
            entry_id = self.new_id()
            value = None
            key = self.binary(WHOLE)
            if key is not None and self.colon():
                value = self.binary(WHOLE)
                if value is not None:
                    entries.append(Entry(entry_id, place, key, value, optional))
            more = self.after(value, "}", True)
        if more < 0:
            return None
        return self.grown(make_map(id, start, tuple(entries)))

    def message(self, head: Expr) -> Expr | None:
        """`package.Type{ field: value, ?field: value }`, behind the name `head`."""
        id = self.new_id()
        entries: list[Entry] = []
        more = self.begin("}")
        while more > 0:
            optional = self.question()
            place = self.position
            value = None
            field = self.selector()
            if field is not None and self.colon():
                entry_id = self.new_id()
                value = self.binary(WHOLE)
                if value is not None:
                    entries.append(Entry(entry_id, place, field, value, optional))
            more = self.after(value, "}", True)
        if more < 0:
            return None
        return self.grown(make_struct(id, head.position, qualified_name(head), tuple(entries)))

    # -- what is applied to an operand ---------------------------------------------------------

    def member(self, operand: Expr) -> Expr | None:
        """`operand.field`, `operand.?field`. A name before a `(` is returned as a Select with the
        id 0."""
        text = self.text
        self.position = blank_end(text, self.position + 1)
        optional = self.question()
        place = self.position
        field = self.selector()
        if field is None:
            return None
        if optional:
            name = make_literal(self.new_id(), place, field)
            return self.grown(make_call(self.new_id(), place, "_?._", None, (operand, name)))
        if text[self.position] == "(" and not self.quoted:
            return make_select(0, place, operand, field, False)
        return self.grown(make_select(self.new_id(), place, operand, field, False))

    def index(self, operand: Expr) -> Expr | None:
        """`operand[key]`, `operand[?key]`"""
        place = self.position
        id = self.new_id()
        self.position = blank_end(self.text, place + 1)
        function = "_[?_]" if self.question() else "_[_]"
        key = self.binary(WHOLE)
        if key is not None:
            if self.text[self.position] == "]":
                self.position += 1
                return self.grown(make_call(id, place, function, None, (operand, key)))
            self.unexpected(NOTHING)
        return None if self.recover("]", False) < 0 else operand

    def call(self, head: Expr) -> Expr | None:
        """`function(a, b)` or `target.function(a, b)`: `head` is an Ident or Select without id."""
        id = self.new_id()
        problems = len(self.problems)
        args: list[Expr] = []
        self.position = blank_end(self.text, self.position + 1)
        more = 1
        if self.text[self.position] == ")":
            self.position += 1
            more = 0
        while more > 0:
            arg = self.binary(WHOLE)
            if arg is not None:
                args.append(arg)
            more = self.after(arg, ")", False)
        if more < 0:
            return None
        target: Expr | None = None
        if isinstance(head, Select):
            name = head.field
            target = head.operand
        else:
            assert isinstance(head, Ident)
            name = head.name
        written = make_call(id, head.position, name, target, tuple(args))
        if name in self.macros.names and len(self.problems) == problems:
            return self.expand(written)
        return self.grown(written)

    def expand(self, written: Call) -> Expr | None:
        """What the macro `written` becomes; itself if it is none after all."""
        expander = self.macros.find(written.function, len(written.args), written.target is not None)
        if expander is None:
            return self.grown(written)
        expansion = Expansion(written.function, written.position, self.next_id, self.problems)
        expanded = expander(expansion, written.target, written.args)
        self.next_id = expansion.next_id
        if expanded is None:
            return self.grown(written)
        if self.next_id > self.nodes:
            return self.limit("expression_nodes", self.nodes, written.position)
        self.macro_calls[expanded.id] = written
        return self.grown(expanded)

    # -- small steps ---------------------------------------------------------------------------

    def new_id(self) -> int:
        id = self.next_id
        self.next_id = id + 1
        return id

    def grown(self, node: Expr) -> Expr | None:
        """`node`, unless the tree has grown too high with it."""
        if node.height > self.depth:
            return self.limit("expression_depth", self.depth, node.position)
        return node
