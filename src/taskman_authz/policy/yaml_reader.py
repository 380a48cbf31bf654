"""YAML text → plain data, and on demand the place of every part of it.

Plain scalars are read by the core schema of YAML 1.2 (`no` and `on` are texts). Anchors and
aliases are understood, merge keys and tags are not.

Laws: reading never raises; what is wrong becomes an `Issue` at its place. Depth, size and the
number of values (aliases counted as what they stand for) are bounded before anything is built.
Places are not kept while reading, because almost no document has an issue: whoever needs one asks
`places`, which reads the text once more.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from ..issues import Issue, place_at
from ..limits import DEFAULT, Limits
from . import yaml_errors

try:
    from yaml._yaml import CParser as _EventParser
except ImportError:  # PyYAML without libyaml: the same events, twenty times slower
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class _EventParser(Reader, Scanner, Parser):  # type: ignore[no-redef]
        def __init__(self, text: str) -> None:
            Reader.__init__(self, text)
            Scanner.__init__(self)
            Parser.__init__(self)


Path = tuple[str | int, ...]

STRING_TAG = "tag:yaml.org,2002:str"
_MAYBE_TYPED = frozenset(("", *"-+.0123456789tTfFnN~"))  # the first character of such a text
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {text: text[0] in "tT" for text in ("true", "True", "TRUE", "false", "False", "FALSE")}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)


class Extent(NamedTuple):
    """Where a value stands in its text (offsets in code points), and its key if it has one. A
    scalar has a value and a style: "" for plain, "'", '"', "|" or ">"."""

    start: int
    end: int
    style: str = ""
    value: str = ""
    key: int = -1


class Stream(NamedTuple):
    """The documents of one text (those with nothing in them left out) and what is wrong."""

    documents: list[Any]
    issues: list[Issue]


def read(name: str, text: str, limits: Limits = DEFAULT) -> Stream:
    """The documents of a YAML text."""
    issues = yaml_errors.unreadable(name, text, limits)
    if issues:
        return Stream([], issues)
    reader = _Reader(name, text, limits, None)
    return Stream(reader.documents(), reader.issues)


def places(name: str, text: str, limits: Limits = DEFAULT) -> dict[Path, Extent]:
    """The extent of every value of a text that was read; a path begins with the document's number.

    What an alias stands for has no extent of its own, only the alias has.
    """
    extents: dict[Path, Extent] = {}
    _Reader(name, text, limits, extents).documents()
    return extents


class _Stop(Exception):
    """The rest of the text is not worth reading."""


class _Reader:
    def __init__(
        self, name: str, text: str, limits: Limits, extents: dict[Path, Extent] | None
    ) -> None:
        self.name = name
        self.text = text
        self.limits = limits
        self.extents = extents
        self.issues: list[Issue] = []
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.count = 0

    def documents(self) -> list[Any]:
        found: list[Any] = []
        try:
            parser = _EventParser(self.text)
            self.next = parser.get_event
            event = self.next()
            while type(event) is not StreamEndEvent:
                if type(event) is DocumentStartEvent:
                    self.anchors = {}
                    path = None if self.extents is None else (len(found),)
                    document = self.value(self.next(), path, 0)
                    if document is not None:
                        found.append(document)
                event = self.next()
        except yaml.YAMLError as error:
            depth = self.limits.document_depth
            self.issues.append(yaml_errors.malformed(self.name, self.text, error, depth))
        except _Stop:
            pass
        return [] if self.issues else found

    def value(self, event: Any, path: Path | None, depth: int) -> Any:
        """The value that begins with `event`; `path` where extents are wanted."""
        self.count += 1
        kind = type(event)
        if kind is AliasEvent:
            return self.alias(event, path)
        before = self.count
        if event.tag is not None:
            self.check_tag(event)
        if kind is ScalarEvent:
            value = event.value
            if not event.style and event.tag is None and value[:1] in _MAYBE_TYPED:
                value = _typed(value)
            if path is not None:
                self.note(path, event, event)
        else:
            if depth >= self.limits.document_depth:
                self.stop("document_too_deep", f"nested deeper than {depth} levels", event)
            read_all = self.mapping if kind is MappingStartEvent else self.sequence
            value = read_all(event, path, depth + 1)
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, self.count - before + 1)
        if self.count > self.limits.document_values:
            self.stop(
                "document_too_large", f"more than {self.limits.document_values} values", event
            )
        return value

    def mapping(self, start: Any, path: Path | None, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        event: Any = self.next()
        while type(event) is not MappingEndEvent:
            if type(event) is ScalarEvent:
                key = event.value
                if key in values:
                    self.issue("duplicate_key", f"the key `{key}` is given twice", event)
            else:
                self.issue("bad_key", "expected a key, found a list or a map", event)
                self.value(event, None, depth)
                key = ""
            child = None if path is None else (*path, key)
            values[key] = self.value(self.next(), child, depth)
            if child is not None:
                self.note_key(child, event)
            event = self.next()
        if path is not None:
            self.note(path, start, event)
        return values

    def sequence(self, start: Any, path: Path | None, depth: int) -> list[Any]:
        values: list[Any] = []
        event = self.next()
        while type(event) is not SequenceEndEvent:
            child = None if path is None else (*path, len(values))
            values.append(self.value(event, child, depth))
            event = self.next()
        if path is not None:
            self.note(path, start, event)
        return values

    def alias(self, event: Any, path: Path | None) -> Any:
        if event.anchor not in self.anchors:
            self.issue("unknown_alias", f"no anchor `&{event.anchor}` stands before this", event)
            return None
        value, count = self.anchors[event.anchor]
        self.count += count
        if path is not None:
            self.note(path, event, event)
        return value

    def check_tag(self, event: Any) -> None:
        if event.tag == STRING_TAG:
            return
        self.issue(
            "unexpected_tag",
            f"unexpected tag `{event.tag}`",
            event,
            "put a text that begins with `!` in quotes or in a `|` block",
        )

    def note(self, path: Path, start: Any, end: Any) -> None:
        if self.extents is not None:
            style, value = getattr(start, "style", ""), getattr(start, "value", "")
            self.extents[path] = Extent(
                start.start_mark.index, end.end_mark.index, style or "", value
            )

    def note_key(self, path: Path, key: Any) -> None:
        if self.extents is not None and path in self.extents:
            self.extents[path] = self.extents[path]._replace(key=key.start_mark.index)

    def issue(self, code: str, message: str, event: Any, hint: str = "") -> None:
        place = place_at(self.name, self.text, event.start_mark.index)
        self.issues.append(Issue(place, code, message, hint))
        if len(self.issues) >= self.limits.issues:
            raise _Stop

    def stop(self, code: str, message: str, event: Any) -> None:
        self.issue(code, message, event)
        raise _Stop


def _typed(text: str) -> Any:
    """What a plain scalar is by the core schema of YAML 1.2 (section 10.3.2)."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    try:
        if _INT.fullmatch(text):
            return int(text, 0 if text[:2] in ("0o", "0x") else 10)
        if _FLOAT.fullmatch(text):
            return float(text.replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:  # an int of thousands of digits, `.INF`
        return float("inf")
    return text
