"""What a case needs beyond the core language: protobuf messages, or an extension library.

Decided from the case alone (its file, container, declarations, bindings, expected value and text),
never from whether we pass it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .cases import Case, Json

PROTOBUF = "protobuf"

# The files that are about one library, as the reference implementation names it.
LIBRARY_OF_FILE = {
    "bindings_ext": "bindings",
    "block_ext": "block",
    "encoders_ext": "encoders",
    "macros2": "two-variable comprehensions",
    "math_ext": "math",
    "network_ext": "network",
    "optionals": "optionals",
    "proto2_ext": "protos",
    "string_ext": "strings",
}
# Libraries are mixed: a case about blocks may use optionals.
LIBRARY_OF_TEXT = {
    "bindings": re.compile(r"\bcel\.bind\("),
    "block": re.compile(r"\bcel\.block\("),
    "encoders": re.compile(r"\bbase64\.(?:en|de)code\("),
    "math": re.compile(r"\bmath\.\w+\("),
    "optionals": re.compile(r"\boptional\.\w+\(|\.\?|[\[{,]\s*\?|\.opt(?:Map|FlatMap)\("),
    "protos": re.compile(r"\bproto\.(?:get|has)Ext\("),
}

# Timestamps and durations are values of the language; every other well-known type is a message.
_NATIVE = r"(?:Timestamp|Duration)\b(?!\s*\{)"
MESSAGE_IN_TEXT = re.compile(rf"\bgoogle\.protobuf\.(?!{_NATIVE})|\bTestAllTypes\b|\bproto[23]\.")
MESSAGE_CONTAINER = re.compile(r"^(?:cel\.expr\.conformance|google\.protobuf)\b")
STRING_LITERAL = re.compile(r"'[^'\\\n]*'|\"[^\"\\\n]*\"")
NATIVE_TYPES = ("google.protobuf.Timestamp", "google.protobuf.Duration")


def needs(case: Case) -> tuple[str, ...]:
    """Protobuf first, then libraries by name; empty for the core language."""
    found = set(_libraries(case))
    return ((PROTOBUF,) if _messages(case) else ()) + tuple(sorted(found))


def reason(need: str) -> str:
    """Why a case with this need was skipped."""
    return f"needs {need}" if need == PROTOBUF else f"needs extension {need}"


def _libraries(case: Case) -> Iterator[str]:
    if case.file in LIBRARY_OF_FILE:
        yield LIBRARY_OF_FILE[case.file]
    text = STRING_LITERAL.sub("''", case.expression)
    for library, pattern in LIBRARY_OF_TEXT.items():
        if pattern.search(text):
            yield library
    if any(_abstract_types(case.type)):
        yield "optionals"


def _messages(case: Case) -> bool:
    text = STRING_LITERAL.sub("''", case.expression)
    if MESSAGE_CONTAINER.search(case.container) or MESSAGE_IN_TEXT.search(text):
        return True
    parts = (case.declarations, dict(case.bindings), case.value, case.type)
    return any(_is_message(key, value) for part in parts for key, value in _fields(part))


def _is_message(key: str, value: Json) -> bool:
    if key == "messageType":
        return value not in NATIVE_TYPES
    if key == "@type":
        return value.rpartition("/")[2] not in NATIVE_TYPES
    return key in ("wrapper", "enumValue")


def _abstract_types(type: Json) -> Iterator[bool]:
    for key, value in _fields(type):
        yield key == "abstractType" and value.get("name") == "optional_type"


def _fields(value: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from _fields(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _fields(inner)
