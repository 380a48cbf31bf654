"""Items as the YAML texts that `compile_documents` reads: one for each policy, one for the roles of
each company, one for each document.

Laws: a text's name says the company and the item, so that the place of an issue is understood. No
two items have one name, and only the schema has a schema's. Whatever an item holds, the text says
that and nothing else: every text from outside is quoted.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ...policy.document import DerivedRole, Role
from .items import SCHEMA, Item, Key, State, StoredDocument, StoredPolicy

EVERYWHERE = "every-company"
Names = Collection[Key]  # of the documents that there are

# What YAML does not have in a quoted text, or ends a line with.
_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_WORDS = frozenset({"true", "false", "null", "nan", "inf"})
# What a `|` block keeps as it is: lines of printable characters, the first not indented.
_BLOCK = re.compile(r"[!-~\xa0-\ud7ff][ -~\xa0-\u2027\u202a-\ud7ff\n]*[!-~\xa0-\ud7ff]")


def texts_of(state: State) -> dict[str, str]:
    """Name and text of everything."""
    documents = {key for key in state if key.kind == "document"}
    texts = {
        text_name(key): text_of(key, stored.item, documents)
        for key, stored in state.items()
        if key.kind != "role"
    }
    roles: dict[str, list[Role]] = {}
    for key, stored in state.items():
        if isinstance(stored.item, Role):
            roles.setdefault(key.company, []).append(stored.item)
    return texts | {
        f"{_folder(company)}/roles": roles_text(company, some) for company, some in roles.items()
    }


def text_name(key: Key) -> str:
    """The name of an item's text."""
    if key == ("document", "", SCHEMA):
        return SCHEMA
    return f"{_folder(key.company)}/{key.kind}:{escaped(key.name)}"


def text_of(key: Key, item: Item, documents: Names) -> str:
    """The text of a policy or a document."""
    if isinstance(item, StoredDocument) and key == ("document", "", SCHEMA):
        return item.text
    lines = [f"company: {scalar(key.company)}"] if key.company else []
    if isinstance(item, StoredPolicy):
        lines += _imports(key, item.imports, documents)
        lines += ["policies:", *policy_lines(item)]
    elif isinstance(item, StoredDocument):
        lines += _imports(key, item.imports, documents)
        lines += definition_lines(item)
    return "\n".join(lines) + "\n"


def roles_text(company: str, roles: Iterable[Role]) -> str:
    """The text of a company's roles."""
    lines = [f"company: {scalar(company)}"] if company else []
    return "\n".join([*lines, "roles:", *role_lines(roles)]) + "\n"


def imported(key: Key, name: str, documents: Names) -> list[Key]:
    """The documents that a name means to an item: its company's, and that of every one."""
    keys = dict.fromkeys(Key("document", company, name) for company in (key.company, ""))
    return [each for each in keys if each in documents and each != key]


def _imports(key: Key, names: Iterable[str], documents: Names) -> list[str]:
    paths: list[str] = []
    for name in names:
        found = imported(key, name, documents)
        paths += (f"../{text_name(each)}" for each in found)
        if not found:  # to be told by the compiler
            paths.append(f"document:{escaped(name)}")
    return [f"imports: {flow(paths)}"] if paths else []


def _folder(company: str) -> str:
    return f"company:{escaped(company)}" if company else EVERYWHERE


def escaped(name: str) -> str:
    """A name as one part of a path, and a visible one."""
    made = name.replace("%", "%25").replace("/", "%2F").replace("\\", "%5C")
    return f"%2E{made[1:]}" if made.startswith(".") else made


# -- YAML -----------------------------------------------------------------------------------------


def policy_lines(policy: StoredPolicy) -> list[str]:
    """A policy as an entry of `policies`."""
    lines = [f"  - id: {scalar(policy.id)}"]
    for key in ("name", "description"):
        if getattr(policy, key):
            lines.append(f"    {key}: {scalar(getattr(policy, key))}")
    lines.append(f"    effect: {policy.effect}")
    lines += (f"    {key}: {flow(getattr(policy, key))}" for key in ("actions", "resources"))
    lines.append(f"    roles: {flow(policy.roles)}")
    if policy.condition:
        lines += _expression("    condition:", policy.condition)
    if policy.overridable:
        lines.append("    overridable: true")
    if policy.lint_ignore:
        lines.append(f"    lint_ignore: {flow(policy.lint_ignore)}")
    return lines


def role_lines(roles: Iterable[Role]) -> list[str]:
    """Roles as entries of `roles`."""
    lines: list[str] = []
    for role in roles:
        lines.append(f"  - name: {scalar(role.name)}")
        if role.description:
            lines.append(f"    description: {scalar(role.description)}")
        if role.lint_ignore:
            lines.append(f"    lint_ignore: {flow(role.lint_ignore)}")
    return lines


def definition_lines(document: StoredDocument) -> list[str]:
    """What a document defines, without what it imports."""
    lines: list[str] = []
    if document.constants:
        lines.append("constants:")
        lines += (f"  {scalar(name)}: {flow(value)}" for name, value in document.constants.items())
    if document.variables:
        lines.append("variables:")
        for name, text in document.variables.items():
            lines += _expression(f"  {scalar(name)}:", text)
    if document.derived_roles:
        lines.append("derived_roles:")
        for role in document.derived_roles:
            lines += _derived_lines(role)
    for key in ("overrides", "lint_ignore"):
        if getattr(document, key):
            lines.append(f"{key}: {flow(getattr(document, key))}")
    return lines


def _derived_lines(role: DerivedRole) -> list[str]:
    lines = [f"  - name: {scalar(role.name)}"]
    if role.description:
        lines.append(f"    description: {scalar(role.description)}")
    lines.append(f"    roles: {flow(role.roles)}")
    lines += _expression("    condition:", role.condition)
    if role.lint_ignore:
        lines.append(f"    lint_ignore: {flow(role.lint_ignore)}")
    return lines


def _expression(key: str, text: str) -> list[str]:
    """A key and an expression; of several lines as a block, so that a caret has a line of its
    own."""
    if "\n" not in text or not _BLOCK.fullmatch(text):
        return [f"{key} {_quoted(text)}"]
    indent = " " * (len(key) - len(key.lstrip()) + 2)
    return [f"{key} |-", *(f"{indent}{line}" if line else "" for line in text.split("\n"))]


def scalar(text: str) -> str:
    """A text as a value or a key."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return _quoted(text)


def flow(value: Any) -> str:
    """Any value of a document on one line."""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_quoted(k)}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan"  # whatever it is: the compiler refuses it
    return json.dumps(value)


def _quoted(text: str) -> str:
    written = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", written)
