"""What is typed at the prompt of `taskman-authz repl`, and what is answered: no terminal here.

Laws: what is wrong raises an AuthzError, and then the session is as it was before; what is answered
is text. A command may be given by any beginning of its name that is no other one's.
"""

from __future__ import annotations

import glob
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, NoReturn

from .._fast.access import adapt
from .._fast.values import type_name
from ..cel import Env, Program, Source, Type, functions, stdlib
from ..cel.check_messages import did_you_mean
from ..cel.completion import Completion, completions, unfinished
from ..cel.env import POLICY_VARIABLES
from ..cel.ext import LIBRARIES
from ..cel.formatter import formatted
from ..cel.lexemes import lexemes
from ..cel.literals import KEYWORD_NAMES
from ..cel.notation import NAMES, parse_type
from ..cel.types import DYN, is_dyn
from ..errors import RequestError
from .explaining import explanation_text
from .outline import outline
from .printing import cel_text
from .reading import VARIABLE, read_variables

POLICY_LIBRARIES = ("optionals", "bindings")
ALL = "all"

VOCABULARY = """\
subject     who asks: `subject.id`, `subject.type`, `subject.roles`, and any attribute
resource    what it is about: `resource.id`, `resource.type`, and any attribute
action      what is to be done: `action.name`, and any attribute
context     what is known of the moment: `context.ip`, …
company_id  the tenant
now         when the question is asked
They are declared now; `:let` and `:load` give them values. `has(resource.owner)` and
`resource.?owner.orValue('')` are how a condition says that absence is fine."""


class Command(NamedTuple):
    """What is typed after the name, and what the command does."""

    usage: str
    summary: str


COMMANDS = {
    "let": Command("NAME = EXPR", "give a value a name"),
    "declare": Command("NAME: TYPE", "declare a variable, so that expressions can be checked"),
    "vars": Command("", "the variables, with their types and values"),
    "unset": Command("NAME", "forget a variable"),
    "load": Command("FILE", "variables from a JSON object in a file"),
    "type": Command("EXPR", "the type of an expression, which is not evaluated"),
    "explain": Command("EXPR", "the value of every part of an expression"),
    "ast": Command("EXPR", "the tree of an expression"),
    "fmt": Command("EXPR", "an expression as `taskman-authz fmt` lays it out"),
    "libraries": Command("[NAME ... | all]", "which libraries there are; with names, add them"),
    "policy": Command("", "declare what the conditions of policies read"),
    "help": Command("", "this text"),
    "quit": Command("", "leave, as Ctrl-D does"),
}


class Quit(Exception):
    """The session is at its end."""


class Session:
    """Variables, libraries, and the environment that they make. The functions are those of policy
    conditions."""

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self.pending: list[str] = []  # the lines that are not answered yet
        self.values: dict[str, Any] = {}
        self.types: dict[str, Type] = {}
        self.libraries = set(POLICY_LIBRARIES)
        self.env = self.environment()
        self.assign({name: (DYN, value) for name, value in (values or {}).items()})

    def environment(self, types: dict[str, Type] | None = None) -> Env:
        return Env(
            self.types if types is None else types,
            libraries=[LIBRARIES[name]() for name in sorted(self.libraries)],
            declarations=stdlib.POLICY,
            implementations=functions.POLICY,
        )

    def assign(self, given: Mapping[str, tuple[Type, Any]]) -> None:
        """Declare variables and give them values."""
        for name in given:
            _check_name(name)
        self.env = self.environment(self.types | {name: type for name, (type, _) in given.items()})
        self.types |= {name: type for name, (type, _) in given.items()}
        self.values |= {name: value for name, (_, value) in given.items()}

    # -- what is typed -------------------------------------------------------------------------

    def answer(self, text: str | None = None) -> str:
        """The answer to an expression or a command, by default the pending lines; "" where there is
        none. Raises AuthzError, and Quit."""
        if text is None:
            text = "\n".join(self.pending)
            self.pending.clear()
        text = text.strip()
        if not text.startswith(":"):
            return self.evaluated(text) if len(lexemes(text)) > 1 else ""  # more than its end
        word, _, rest = text[1:].partition(" ")
        name = _command(word)
        run: Callable[[str], str] = getattr(self, f"do_{name}")
        rest = rest.strip()
        usage = COMMANDS[name].usage
        if rest and not usage or usage and usage[0] != "[" and not rest:
            _expect(name)
        return run(rest)

    def goes_on(self) -> bool:
        """Whether the expression in the pending lines goes on in the next one."""
        last = self.pending[-1]
        expression = self.expression_in("\n".join(self.pending))
        return bool(last.strip()) and unfinished(expression, self.env)

    def expression_in(self, text: str) -> str:
        """The part of `text` that is an expression."""
        stripped = text.lstrip()
        if not stripped.startswith(":"):
            return text
        word, _, rest = stripped[1:].partition(" ")
        names = [name for name in COMMANDS if name.startswith(word)] if word else []
        if len(names) != 1 or "EXPR" not in COMMANDS[names[0]].usage:
            return ""
        return rest.partition("=")[2] if names == ["let"] else rest

    def completions(self, text: str) -> Completion:
        """How what was typed up to here could go on."""
        stripped = text.lstrip()
        if not stripped.startswith(":"):
            return completions(text, self.env, self.values)
        word, blank, rest = stripped[1:].partition(" ")
        if not blank:
            words = [f":{name}" for name in COMMANDS if name.startswith(word)]
            return Completion(len(text) - len(stripped), words)
        if expression := self.expression_in(text):
            found = completions(expression, self.env, self.values)
            return Completion(len(text) - len(expression) + found.start, found.words)
        begun = rest.split(" ")[-1]
        offered = sorted(each for each in self._offered(word, begun) if each.startswith(begun))
        return Completion(len(text) - len(begun), offered)

    def _offered(self, word: str, begun: str) -> Iterable[str]:
        """The words that a command takes."""
        names = [name for name in COMMANDS if name.startswith(word)]
        match names:
            case ["unset"]:
                return self.types
            case ["declare"]:
                return NAMES
            case ["libraries"]:
                return [*LIBRARIES, ALL]
            case ["load"]:
                return glob.glob(f"{glob.escape(begun)}*")
        return ()

    # -- expressions ---------------------------------------------------------------------------

    def evaluated(self, text: str) -> str:
        """`value : type`"""
        program, value = self.value_of(text)
        return f"{cel_text(value)} : {_type_text(program.type, value)}"

    def value_of(self, text: str) -> tuple[Program, Any]:
        program = self.env.compile(text)
        return program, program.evaluate(self.values)

    def do_type(self, text: str) -> str:
        return str(self.env.check(text).type)

    def do_explain(self, text: str) -> str:
        return explanation_text(self.env.compile(text).explain(self.values), sys.stdout)

    def do_ast(self, text: str) -> str:
        return outline(self.env.parse(text))

    def do_fmt(self, text: str) -> str:
        return formatted(Source(text))

    # -- variables -----------------------------------------------------------------------------

    def do_let(self, text: str) -> str:
        name, expression = _split("let", text, "=")
        program, value = self.value_of(expression)
        self.assign({name: (program.type, value)})
        return self._variable(name)

    def do_declare(self, text: str) -> str:
        name, type = _split("declare", text, ":")
        self.declare({name: parse_type(type)})
        return self._variable(name)

    def declare(self, types: dict[str, Type]) -> None:
        """Declare variables that have no value."""
        self.env = self.environment(self.types | types)
        self.types |= types
        for name in types:
            self.values.pop(name, None)

    def do_vars(self, text: str) -> str:
        return "\n".join(map(self._variable, sorted(self.types)))

    def _variable(self, name: str) -> str:
        if name not in self.values:
            return f"{name} : {self.types[name]}"
        value = self.values[name]
        return f"{name} = {cel_text(value)} : {_type_text(self.types[name], value)}"

    def do_unset(self, name: str) -> str:
        if name not in self.types:
            hint = did_you_mean(name, self.types)
            _refuse("unset", f"there is no variable `{name}`", hint)
        del self.types[name]
        self.values.pop(name, None)
        self.env = self.environment()
        return ""

    def do_load(self, path: str) -> str:
        found = read_variables(path)
        self.assign({name: (DYN, value) for name, value in found.items()})
        return "\n".join(map(self._variable, sorted(found)))

    # -- the language --------------------------------------------------------------------------

    def do_libraries(self, text: str) -> str:
        names = text.split()
        for name in names:
            if name != ALL and name not in LIBRARIES:
                message = f"there is no library `{name}`"
                hint = did_you_mean(name, LIBRARIES) or "`:libraries` lists them"
                _refuse("libraries", message, hint)
        self.libraries |= set(LIBRARIES if ALL in names else names)
        self.env = self.environment()
        return "\n".join(
            f"{'*' if name in self.libraries else ' '} {name}" for name in sorted(LIBRARIES)
        )

    def do_policy(self, text: str) -> str:
        types = {name: each for name, each in POLICY_VARIABLES.items() if name not in self.types}
        self.declare(types)
        return VOCABULARY

    def do_help(self, text: str) -> str:
        lines = [
            f"{f':{name} {command.usage}':<30} {command.summary}"
            for name, command in COMMANDS.items()
        ]
        return "\n".join(["an expression is evaluated; these are commands:", *lines])

    def do_quit(self, text: str) -> str:
        raise Quit


def _command(word: str) -> str:
    """The command that a word, or the beginning of one, means."""
    names = [name for name in COMMANDS if name.startswith(word)] if word else []
    if word in COMMANDS or len(names) == 1:
        return word if word in COMMANDS else names[0]
    if names:
        _refuse(word, f"could be {', '.join(f'`:{name}`' for name in names)}")
    _refuse(word, "there is no such command", did_you_mean(word, COMMANDS) or "`:help` lists them")


def _expect(command: str) -> NoReturn:
    _refuse(command, f"expected `{f':{command} {COMMANDS[command].usage}'.strip()}`")


def _split(command: str, text: str, separator: str) -> tuple[str, str]:
    """The name that a command is given, and what comes behind the separator."""
    name, _, rest = (part.strip() for part in text.partition(separator))
    _check_name(name)
    return (name, rest) if rest else _expect(command)


def _check_name(name: str) -> None:
    if not VARIABLE.fullmatch(name) or name in KEYWORD_NAMES:
        raise RequestError(name or "the name", "cannot be the name of a variable")


def _type_text(type: Type, value: Any) -> str:
    """The type that the checker found, or, if that is any, the value's."""
    return type_name(adapt(value)) if is_dyn(type) else str(type)


def _refuse(command: str, message: str, hint: str = "") -> NoReturn:
    raise RequestError(f":{command}", f"{message}; {hint}" if hint else message)
