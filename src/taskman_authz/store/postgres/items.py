"""What a database of policies holds: policies, roles and documents, each of one company or of all.

Begin with `Key`, which names an item, and `Stored`, which is one with the UUID of its row.

A document is what policies use that is no row: names for values, expressions and derived roles, or
a company's overrides. The one of every company that is called `schema.yaml` is the schema, a text.

Laws: an item is in its normal form (names sorted, each once; no space at the end of a condition),
so that what comes back from the tables equals what went in. pydantic reads them, and says what is
wrong in the words of documents.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, get_args

import msgspec
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
)

from ...errors import ArgumentError, CompileError, StoreError
from ...issues import Issue, Issues, Place
from ...limits import DEFAULT
from ...policy.document import DerivedRole, Identifier, Policy, Role
from ...policy.document_errors import findings
from ...policy.files import SUFFIXES, TEST_ENDINGS
from ...policy.loader import SCHEMA_FILES

Kind = Literal["policy", "role", "document"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SCHEMA = "schema.yaml"

# A name as a path has it; `_is_no_file` says which can be files of a set of policies.
DocumentName = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=DEFAULT.identifier_length, pattern=r"^[^\x00-\x1f\x7f]+$"
    ),
]
Names = Annotated[list[Identifier], Field(max_length=DEFAULT.policy_patterns)]
Imports = Annotated[list[DocumentName], Field(max_length=DEFAULT.policy_patterns)]


class StoredPolicy(Policy):
    """A policy, and the documents whose names it uses: those of its company and of every one."""

    imports: Imports = []


class StoredDocument(BaseModel):
    """Names that policies use, or, in `text`, the schema that all are checked against."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    name: DocumentName
    imports: Imports = []
    constants: dict[str, JsonValue] = {}
    variables: dict[str, str] = {}
    derived_roles: list[DerivedRole] = []
    overrides: Names = []
    lint_ignore: Names = []
    text: str = ""

    @property
    def is_schema(self) -> bool:
        """Whether it is the schema."""
        return self.name == SCHEMA


Item: TypeAlias = StoredPolicy | Role | StoredDocument
Given: TypeAlias = Policy | Role | StoredDocument | Mapping[str, Any]
_MODELS: dict[Kind, type[StoredPolicy] | type[Role] | type[StoredDocument]] = {
    "policy": StoredPolicy,
    "role": Role,
    "document": StoredDocument,
}


class Key(NamedTuple):
    """What an item is called: its kind, its company ("" for every one), and its id or name."""

    kind: Kind
    company: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} `{self.name}`" + (f" of company `{self.company}`" * bool(self.company))


class Stored(NamedTuple):
    """An item, and the UUID of its row."""

    uuid: str
    item: Item

    def image(self) -> str:
        """All of it as JSON, from which `stored` makes it again."""
        data = self.item.model_dump(exclude_defaults=True)
        return json.dumps({"uuid": self.uuid, **data}, ensure_ascii=False)


State = dict[Key, Stored]


def kind_of(item: Given) -> Kind:
    """What kind of item it is. A mapping with an `effect` is a policy; without, a role."""
    if isinstance(item, Mapping):
        return "policy" if item.keys() & {"effect", "actions", "resources", "id"} else "role"
    if isinstance(item, Policy):
        return "policy"
    if isinstance(item, Role):
        return "role"
    if isinstance(item, StoredDocument):
        return "document"
    raise ArgumentError.of("item", "a Policy, Role, StoredDocument or a mapping", item)


def name_of(item: Item) -> str:
    """The id of a policy, the name of another item."""
    return item.id if isinstance(item, StoredPolicy) else item.name


def item_of(given: Given) -> Item:
    """A valid item in its normal form. Raises CompileError with all that is wrong with it on its
    own."""
    kind = kind_of(given)
    data = dict(given) if isinstance(given, Mapping) else given.model_dump(exclude_defaults=True)
    name = data.get("id" if kind == "policy" else "name")
    place = Place(f"{kind} {name}" if isinstance(name, str) else kind)
    try:
        item = _MODELS[kind].model_validate(data)
    except ValidationError as error:
        raise CompileError(
            Issues.of(
                Issue(place, each.code, _at(each.path) + each.message, each.hint)
                for each in findings(error)[: DEFAULT.issues]
            )
        ) from None
    wrong = _wrong_document(item) if isinstance(item, StoredDocument) else ""
    if _holds_nul(data):
        wrong = "the character U+0000 in it cannot be stored"
    if wrong:
        raise CompileError(Issues((Issue(place, "bad_value", wrong),)))
    return _normal(item)


def stored(key: Key, uuid: str, data: Mapping[str, Any]) -> Stored:
    """An item that was stored. Raises StoreError for what is none: somebody wrote it by hand."""
    try:
        return Stored(uuid, _normal(_MODELS[key.kind].model_validate(data)))
    except ValidationError as error:
        wrong = findings(error)[0]
        raise StoreError(f"the stored {key}: {_at(wrong.path)}{wrong.message}") from None


def stored_image(key: Key, image: str) -> Stored:
    """An item of its image. Raises StoreError."""
    data = msgspec.json.decode(image)
    return stored(key, data.pop("uuid"), data)


def _normal(item: Item) -> Item:
    if not isinstance(item, StoredPolicy):
        return item
    normal = {
        "roles": _distinct(item.roles),
        "imports": _distinct(item.imports),
        # Of one of nothing but space the compiler must say so: no condition is always true.
        "condition": item.condition.rstrip() or item.condition,
    }
    return item.model_copy(update=normal)


def _wrong_document(document: StoredDocument) -> str:
    """What is wrong with a document, "" if nothing."""
    if _is_no_file(document.name):
        return "it has not the name of a policy document: `names.yaml`, `folder/names.yaml`"
    if document.is_schema:
        others = document.model_dump(exclude={"name", "text"}, exclude_defaults=True)
        return "a schema is a text, and defines no names" if others else ""
    return f"only `{SCHEMA}` is a text" if document.text else ""


def _is_no_file(name: str) -> bool:
    """Whether a name is none that `export` could give a file: hidden, a test, or out of the way."""
    *folders, file = name.split("/")
    hidden = any(not part or part.startswith(".") or "\\" in part for part in (*folders, file))
    a_schema = file in SCHEMA_FILES and name != SCHEMA
    return hidden or a_schema or not file.endswith(SUFFIXES) or file.endswith(TEST_ENDINGS)


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, Mapping):
        return any(map(_holds_nul, (*value, *value.values())))
    return isinstance(value, list) and any(map(_holds_nul, value))


def _distinct(names: Iterable[str]) -> list[str]:
    return sorted(set(names))


def _at(path: tuple[str | int, ...]) -> str:
    return f"`{'.'.join(map(str, path))}`: " if path else ""
