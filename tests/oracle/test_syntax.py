"""Whatever the grammar of record generates, and that with a few changes, the C++ implementation and
we both parse or both refuse. (`tests.cel.test_grammar` compares the trees with the grammar's.)

`ORACLE_EXAMPLES` and `ORACLE_SEED` are those of `test_oracle`.
"""

from __future__ import annotations

import re
import time
from random import Random

from taskman_authz.cel.expected import grammar
from taskman_authz.errors import CompileError
from tests.cel.sentences import LONG, Productions
from tests.oracle.known import KNOWN
from tests.oracle.test_oracle import EXAMPLES, SEED, SHOWN
from tests.oracle.witnesses import cpp_parses, our_env

LEXEMES = {
    **{word.upper(): [word] for word in ("in", "true", "false", "null")},
    "RELATION": ["==", "!=", "<", "<=", ">", ">="],
    "RESERVED": ["for", "package", "as", "while"],
    "QUOTED": ["`b-c`", "`in`", "` a.b/c_1`"],
    "INT": ["0", "12", "007", "0xfF", "9223372036854775807"],
    "UINT": ["0u", "12U", "0xfFu", "18446744073709551615u"],
    "FLOAT": ["1.5", ".5e1", "1E-3", "0.0", "1e308", "00.0"],
    "IDENT": ["a", "b", "x1", "size", "getFullYear", "inner", "asx", "r", "b_", "c", "e"],
    "STRING": ["''", "'a'", '"é"', "'''a\n'b'''", r"r'\d'", r"R'''\'''", r"'\n\x41\101\u00e9'"],
    "BYTES": ["b''", "B'é'", r"b'\xff\377'", r"br'\x'", "b'''\n'''"],
    "BLANK": [" ", "\n", " \t\r\f"],
    "COMMENT": ["// a\n", "// 'b'\r\n", "//\n"],
}
# Where one of these is put into a sentence, the language may end.
CHANGES = [
    *("", "", "", " ", "\n", "(", ")", "[", "]", "{", "}", ",", ":", ".", "?", "'", '"', "`", "\\"),
    *(
        "0",
        "u",
        "e",
        "x",
        "-",
        "!",
        "=",
        "&",
        "|",
        "in",
        "for",
        "null",
        "#",
        "é",
        "😀",
        "r'",
        "'''",
    ),
    *("9223372036854775808", "18446744073709551616u", "\r", ".exists(a, b)", "has(a.b)", "has(a)"),
    *(
        ".map(e, e)",
        ".all(",
        "has(",
        "cel.bind(",
        ".?a",
        "[?",
        "{?",
        "//",
        "/*",
        "\\u",
        "\0",
        "\ufeff",
    ),
]


class Sentences:
    """Sentences of the grammar, chosen by a `Random`: some thousand a second."""

    def __init__(self) -> None:
        self.productions = Productions(grammar(), {})
        said = self.productions.terminals
        punctuation = {
            terminal.name: [terminal.pattern.value]
            for terminal in grammar().terminals
            if terminal.name not in LEXEMES
        }
        self.lexemes = punctuation | {name: LEXEMES[name] for name in LEXEMES if name in said}

    def sentence(self, random: Random, depth: int) -> str:
        text: list[str] = []
        todo = [("start", depth)]
        while todo:
            name, room = todo.pop()
            if name in self.lexemes:
                text.append(random.choice(self.lexemes[name]))
                if text[-1][-1].isalnum() or random.random() < 0.2:
                    text.append(random.choice(LEXEMES["BLANK"]))
                if random.random() < 0.02:
                    text.append(random.choice(LEXEMES["COMMENT"]))
                continue
            expansion = random.choice(self.productions.expansions(name, room))
            room = room - 1 if len(text) < LONG else 0
            todo += ((symbol.name, room) for symbol in reversed(expansion))
        return "".join(text)


def changed(random: Random, text: str) -> str:
    """The text with up to three pieces of it replaced."""
    for _ in range(random.choice((0, 0, 1, 1, 2, 3))):
        start = random.randint(0, len(text))
        end = min(len(text), start + random.choice((0, 0, 1, 2)))
        text = text[:start] + random.choice(CHANGES) + text[end:]
    return text


def parses(text: str) -> bool:
    try:
        our_env().parse(text)
    except CompileError:
        return False
    return True


def differs(text: str) -> bool:
    return cpp_parses(text) is (not parses(text))


def shortest(text: str) -> str:
    """The text with as much left out as it needs not."""
    for size in (32, 16, 8, 4, 2, 1, 2, 1):
        start = 0
        while start < len(text):
            shorter = text[:start] + text[start + size :]
            if differs(shorter):
                text = shorter
            else:
                start += max(1, size // 2)
    return text


def is_known(text: str) -> bool:
    known = (each for each in KNOWN["cel-expr-python"] if each.syntax)
    return any(re.search(each.where, text, re.DOTALL) for each in known)


def test_the_cpp_implementation_parses_what_we_parse():
    random, sentences = Random(SEED), Sentences()
    unknown: list[str] = []
    parsed = known = done = 0
    start = time.monotonic()
    while done < EXAMPLES and len(unknown) < SHOWN:
        done += 1
        text = changed(random, sentences.sentence(random, random.choice((20, 30, 40))))
        parsed += parses(text)
        if differs(text):
            least = shortest(text)
            known += is_known(least)
            unknown += [] if is_known(least) else [least]
    rate = done / (time.monotonic() - start)
    print(
        f"{done} texts, seed {SEED}, {rate:.0f} a second; {parsed} parsed, {known} disagreed over"
    )
    assert not unknown, f"seed {SEED}\n" + "\n".join(
        f"{'we parse' if parses(text) else 'we refuse'} {text!r}" for text in unknown
    )
