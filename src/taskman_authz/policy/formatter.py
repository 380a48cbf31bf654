"""The conditions of a YAML text, and its variables, laid out anew; all else of it stays as it is,
byte for byte.

A condition in quotes, or in none, stays so while it fits in its line; one that does not becomes a
`|` block. A block stays a block, and a `>` one too, unless a comment needs its line to end.

Laws: nothing is given back of a text with an issue, or one that would say something else than
before. What cannot be written in another way (a comment within `{…}`, what an alias stands for)
stays as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..cel import Source
from ..cel.formatter import WIDTH, formatted
from ..cel.lexemes import lexemes
from ..cel.parser import parse
from ..cel.unparser import unparse
from ..errors import CompileError
from ..issues import Issue, Issues, Place
from .loader import BYTE_ORDER_MARK, LoadedDocument, Text, load
from .scalars import content_start, value_start
from .yaml_reader import Path, read

INDENT = 2
UNBOUNDED = 1_000_000_000  # columns: one line
_BLOCKS = ("|", ">")
_HEADER = re.compile(r"(?P<style>[|>])[-+]?(?P<digit>[0-9]?)[-+]?")
_KEY = re.compile(r"""(?:\w+|'\w+'|"\w+")\s*:""")


class Edit(NamedTuple):
    """What stands from `start` to `end` becomes `text`."""

    start: int
    end: int
    text: str


def formatted_document(name: str, content: str, width: int = WIDTH) -> str:
    """A text of policy documents with its conditions laid out to `width` columns of the file.
    Raises CompileError with all that is wrong with it."""
    loaded = load([(name, content)])
    issues = list(loaded.issues)
    edits: list[Edit] = []
    for document in loaded.documents:
        for path in _expressions(document):
            try:
                edits += _edits(document, path, width)
            except CompileError as error:
                issues += error.issues
    if issues:
        raise CompileError(Issues.of(issues))
    text = content.removeprefix(BYTE_ORDER_MARK)
    mark = content[: len(content) - len(text)]
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    _same(name, loaded.documents, text)
    return mark + text


def _expressions(document: LoadedDocument) -> Iterator[Path]:
    """Where a document has expressions: conditions, and what variables stand for."""
    yield from (("policies", n, "condition") for n, each in document.policies if each.condition)
    yield from (("derived_roles", n, "condition") for n, _ in document.definitions.derived_roles)
    yield from (("variables", name) for name in document.definitions.variables)


def _same(name: str, before: list[LoadedDocument], text: str) -> None:
    """Raises CompileError where `text` does not say what the documents say."""
    after = load([(name, text)])
    if after.issues or list(map(_said, after.documents)) != list(map(_said, before)):
        message = "laid out anew it would mean something else, so it stays as it is"
        raise CompileError(Issues((Issue(Place(name), "meaning_changed", message),)))


def _said(document: LoadedDocument) -> Any:
    policies = [
        (number, policy.model_copy(update={"condition": _tree(policy.condition)}))
        for number, policy in document.policies
    ]
    variables = [(name, _tree(text)) for name, text in document.definitions.variables.items()]
    derived = [
        (number, role.model_copy(update={"condition": _tree(role.condition)}))
        for number, role in document.definitions.derived_roles
    ]
    given = document.definitions._replace(variables={}, derived_roles=[])
    return document.company, document.roles, policies, variables, derived, given, document.overrides


def _tree(condition: str) -> str:
    """The same text for conditions that are read as the same tree."""
    return condition and unparse(parse(Source(condition.rstrip())))


# -- one condition -------------------------------------------------------------------------------


def _edits(document: LoadedDocument, path: Path, width: int) -> Iterator[Edit]:
    """What is to be done to an expression. Raises CompileError where it does not parse."""
    whole = (document.number, *path)
    extent = document.text.extent(whole)
    if not extent.value:
        return  # an alias
    source = Source(extent.value.rstrip(), document.text.name, document.places(*path))
    scalar = _Scalar(document.text, whole, source)
    yield from scalar.block(width) if extent.style in _BLOCKS else scalar.inline(width)


class _Scalar:
    """A condition where it is written."""

    def __init__(self, text: Text, path: Path, source: Source) -> None:
        self.text = text.text
        self.extent = text.extent(path)
        self.source = source
        self.begin = value_start(self.text, self.extent)
        self.newline = "\r\n" if "\r\n" in self.text else "\n"
        around = [text.extents[path[:end]] for end in range(1, len(path))]
        self.in_flow = any(self.text[value_start(self.text, each)] in "{[" for each in around)

    def column(self, offset: int) -> int:
        return offset - self.text.rfind("\n", 0, offset) - 1

    # -- on one line ---------------------------------------------------------------------------

    def inline(self, width: int) -> Iterator[Edit]:
        """What is to be done to one in quotes or in none."""
        line = formatted(self.source, UNBOUNDED)
        written = "" if "\n" in line else self.written(line)
        if written and (self.in_flow or self.column(self.begin) + len(written) <= width):
            yield Edit(self.begin, self.extent.end, written)
        elif not self.in_flow:
            yield from self.moved_to_block(width)

    def written(self, line: str) -> str:
        """A scalar that is read as `line`, in its present style if it can be; "" for none."""
        quoted = {
            "": line,
            "'": "'" + line.replace("'", "''") + "'",
            '"': json.dumps(line, ensure_ascii=False),
        }
        choices = [quoted[self.extent.style], *sorted(quoted.values(), key=len)]
        present = self.text[self.begin : self.extent.end]
        if self.extent.value == line and "\n" not in present:
            choices.insert(0, present)
        form = "{{k: {}}}" if self.in_flow else "k: {}"
        fitting = (each for each in choices if read("", form.format(each))[0] == [{"k": line}])
        return next(fitting, "")

    # -- on lines of its own -------------------------------------------------------------------

    def moved_to_block(self, width: int) -> Iterator[Edit]:
        """One that was on the line of its key; a comment behind it stays there."""
        indent = self.column(self.extent.key) + INDENT
        header, lines = self.block_text("|", "", width, indent)
        if not lines:
            return
        key = _KEY.match(self.text, self.extent.key)
        if key and not self.text[key.end() : self.begin].strip():
            yield Edit(key.end(), self.extent.end, f" {header}")
        else:
            yield Edit(self.begin, self.extent.end, header)
        line_end = re.compile(r"\r?\n|\Z").search(self.text, self.extent.end)
        if line_end:
            yield Edit(line_end.start(), line_end.start(), self.newline + lines)

    def block(self, width: int) -> Iterator[Edit]:
        """What is to be done to a block."""
        header = _HEADER.match(self.text, self.begin)
        start = content_start(self.text, self.extent)
        content = self.text[start : self.extent.end].rstrip()
        if not header:
            return
        style, chomping, digit = header["style"], header[0].strip("|>123456789"), header["digit"]
        indent = len(content) - len(content.lstrip(" "))
        if digit or content[:1].isspace() and content[indent : indent + 1] in "\r\n":
            indent = self.column(self.extent.key) + INDENT
        written, lines = self.block_text(style, chomping, width, indent)
        if lines:
            yield Edit(self.begin, header.end(), written)
            yield Edit(start, start + len(content), lines)

    def block_text(self, style: str, chomping: str, width: int, indent: int) -> tuple[str, str]:
        """The header and the lines of a block; none where it cannot be one."""
        laid_out = formatted(self.source, width - indent)
        lines = [" " * indent + line if line else "" for line in laid_out.split("\n")]
        if any(lexeme.remarks for lexeme in lexemes(laid_out)):
            style = "|"
        for header in (style + chomping, "|" + chomping):
            documents = read("", "\n".join([f"k: {header}", *lines])).documents
            if documents and _is_same(documents[0]["k"], self.source.text):
                return header, self.newline.join(lines)
        return "", ""


def _is_same(condition: str, other: str) -> bool:
    try:
        return _tree(condition) == _tree(other)
    except CompileError:
        return False
