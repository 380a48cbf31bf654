"""`schema.yaml`: what a document of this name, beside policies, says of the data they are about.

It holds for the policies of its folder and those below, unless a folder between has its own.

Laws: as for policy documents, unknown keys are refused, all that is wrong is told, each at its
place.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..cel.check_messages import shown
from ..cel.notation import CONSTRUCTORS, NAMES, parse_type
from ..cel.stdlib import POLICY
from ..cel.types import DYN, Kind, Type, list_of, object_type
from ..errors import CompileError
from ..issues import Issue, Place, place_at
from ..limits import DEFAULT, Limits
from .document import Identifier
from .document_errors import Models, findings, quoted
from .loader import Text, folder_and_file
from .patterns import pattern_error
from .schema import EXPECTED, FORM, Attributes, ResourceType, Schema, fallback, full_names
from .suggestions import did_you_mean
from .yaml_reader import Path, read

QUOTES = "within `{…}` and `[…]` a type with a `,` in it needs quotes"
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class ResourceDocument(_Strict):
    """A kind of resource."""

    actions: list[str] = Field(
        min_length=1,
        max_length=DEFAULT.policy_patterns,
        description="What can be done with it: `edit` is `tasks:edit` of the kind `tasks`.",
    )
    attributes: dict[str, Any] = Field(default_factory=dict, description="Names and types.")


class SchemaDocument(_Strict):
    """What policies are about. A section that is left out is not checked.

    A type is written as CEL has it (`string`, `list(string)`, `map(string, int)`, `timestamp`), as
    a map of attributes, or as a list with one entry, the type of every element. A name that ends
    in `?` may be absent.
    """

    subjects: dict[Identifier, dict[str, Any]] | None = Field(
        None, description="Attributes by the type of the subject (`user`)."
    )
    resources: dict[Identifier, ResourceDocument] | None = Field(
        None, description="Actions and attributes by the kind of the resource (`tasks`)."
    )
    action: dict[str, Any] | None = Field(None, description="Attributes of actions.")
    context: dict[str, Any] | None = Field(None, description="The keys of the context.")
    fallbacks: dict[str, str] = Field(
        default_factory=dict,
        description="What stands in for an absent attribute: `subject.x: context.y`.",
    )


class Schemas:
    """The schemas of a set, each for the documents of its folder and below."""

    def __init__(
        self,
        texts: Iterable[tuple[str, str]],
        limits: Limits = DEFAULT,
        whole: Schema | None = None,
    ) -> None:
        """Read schemas; `whole` is one for all documents, and then no other counts."""
        self.issues: list[Issue] = []
        self._whole = whole
        self._by_folder: dict[str, Schema] = {}
        for name, content in sorted(texts):
            folder = folder_and_file(name)[0]
            if folder in self._by_folder:
                message = "a second schema in one folder"
                self.issues.append(Issue(Place(name), "duplicate_schema", message))
                continue
            schema, issues = read_schema(name, content, limits)
            self.issues += issues
            self._by_folder[folder] = schema

    def of(self, name: str) -> Schema | None:
        """The schema for a document; None where there is none."""
        if self._whole is not None:
            return self._whole
        if not self._by_folder:
            return None
        folder = folder_and_file(name)[0]
        while folder not in self._by_folder:
            above = posixpath.dirname(folder)
            if above == folder:
                return None
            folder = above
        return self._by_folder[folder]

    @property
    def actions(self) -> dict[str, tuple[str, ...]]:
        """The names of the actions of every kind that some schema describes, in order."""
        found: dict[str, set[str]] = {}
        for schema in [self._whole] if self._whole is not None else self._by_folder.values():
            for kind, described in (schema.resources or {}).items():
                found.setdefault(kind, set()).update(described.actions)
        return {kind: tuple(sorted(names)) for kind, names in sorted(found.items())}


def read_schema(name: str, content: str, limits: Limits = DEFAULT) -> tuple[Schema, list[Issue]]:
    """The schema that a YAML text describes, and what is wrong with it; where something is, what it
    does not describe is not checked."""
    text = Text(name, content, limits)
    stream = read(name, text.text, limits)
    if stream.issues:
        return Schema(), stream.issues
    if len(stream.documents) > 1:
        return Schema(), [Issue(text.place((1,)), "bad_value", "a second document in one file")]
    try:
        document = SchemaDocument.model_validate(stream.documents[0] if stream.documents else {})
    except ValidationError as error:
        return Schema(), [
            Issue(text.place((0, *each.path), each.at_key), each.code, each.message, each.hint)
            for each in findings(error, _MODELS)[: limits.issues]
        ]
    reader = _Reader(text)
    schema = reader.schema(document)
    return (Schema() if reader.issues else schema), reader.issues[: limits.issues]


_MODELS: Models = {"": SchemaDocument, "resources": ResourceDocument}


class _Reader:
    """One document being read."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.issues: list[Issue] = []

    def wrong(
        self, path: Path, code: str, message: str, hint: str = "", at_key: bool = False
    ) -> None:
        self.issues.append(Issue(self.text.place((0, *path), at_key), code, message, hint))

    def schema(self, document: SchemaDocument) -> Schema:
        subjects = self.subjects(document.subjects)
        resources = self.resources(document.resources)
        action = self.attributes(document.action, ("action",), "action", ("name",))
        context = self.attributes(document.context, ("context",), "context")
        schema = Schema(subjects, resources, action, context, document.fallbacks)
        self.check_fallbacks(schema, document.fallbacks)
        return schema

    def subjects(self, given: Mapping[str, Any] | None) -> dict[str, Attributes] | None:
        if given is None:
            return None
        found: dict[str, Attributes] = {}
        for name, attributes in given.items():
            if ":" in name:
                path = ("subjects", name)
                self.wrong(path, "bad_name", "a type of subject has no `:` in it", at_key=True)
            described = self.attributes(attributes, ("subjects", name), name, ("id", "type"))
            found[name] = described or Attributes(object_type(name, {}))
            roles = found[name].fields.get("roles")
            if roles is not None and str(roles) != "list(string)":
                message = f"roles are `list(string)`, not `{roles}`"
                self.wrong(("subjects", name, "roles"), "bad_type", message)
        return found

    def resources(
        self, given: Mapping[str, ResourceDocument] | None
    ) -> dict[str, ResourceType] | None:
        if given is None:
            return None
        found: dict[str, ResourceType] = {}
        for kind, document in given.items():
            path: Path = ("resources", kind)
            if "/" in kind or "*" in kind:
                message = "a kind of resource has neither `/` nor `*` in it"
                self.wrong(path, "bad_name", message, at_key=True)
            for number, name in enumerate(document.actions):
                full = name if ":" in name else f"{kind}:{name}"
                if "*" in name or not name or pattern_error(full, ":"):
                    message = f"{quoted(name)} is no name of an action"
                    self.wrong((*path, "actions", number), "bad_name", message)
            attributes = self.attributes(
                document.attributes, (*path, "attributes"), kind, ("id", "type")
            )
            described = attributes or Attributes(object_type(kind, {}))
            found[kind] = ResourceType(full_names(kind, document.actions), described)
        return found

    # -- attributes and their types ----------------------------------------------------------------

    def attributes(
        self, given: Mapping[str, Any] | None, path: Path, owner: str, own: tuple[str, ...] = ()
    ) -> Attributes | None:
        """The attributes that a map describes; `own` are there anyway."""
        if given is None:
            return None
        fields: dict[str, Type] = {}
        required: set[str] = set()
        for key, described in given.items():
            name = key.removesuffix("?")
            place = (*path, key)
            if not WORD.fullmatch(name):
                message = f"{quoted(key)} is no name of an attribute"
                hint = QUOTES if ")" in key else ""
                self.wrong(place, "bad_name", message, hint, at_key=True)
            elif name in own:
                message = f"{quoted(name)} is always there, and a text"
                self.wrong(place, "bad_name", message, "leave it out", at_key=True)
            elif name in fields:
                message = f"the attribute {quoted(name)} is given twice"
                self.wrong(place, "duplicate_key", message, at_key=True)
            else:
                inner: set[str] = set()
                fields[name] = self.type(described, place, f"{owner}.{name}", inner)
                if name == key:
                    required |= {name, *(f"{name}.{below}" for below in inner)}
        return Attributes(object_type(owner, fields), frozenset(required))

    def type(self, given: Any, path: Path, owner: str, required: set[str]) -> Type:
        """The type that a value of the document describes; into `required` goes which attributes
        below it are always there."""
        if isinstance(given, str):
            return self.notation(given, path)
        if isinstance(given, Mapping):
            found = self.attributes(given, path, owner)
            required |= found.required if found else set()
            return found.type if found else DYN
        if isinstance(given, list) and len(given) == 1:
            return list_of(self.type(given[0], (*path, 0), owner, set()))
        message = "expected a type: a text (`list(string)`), a map of attributes, or a list of one"
        self.wrong(path, "bad_type", message, QUOTES if isinstance(given, list) else "")
        return DYN

    def notation(self, written: str, path: Path) -> Type:
        try:
            found = parse_type(written)
        except CompileError as error:
            for issue in error.issues:
                self.wrong_at(path, issue.place.column - 1, issue.message, issue.hint)
            return DYN
        for name in POLICY.unknown_names(found):
            hint = did_you_mean(name, [*NAMES, *CONSTRUCTORS])
            self.wrong_at(path, written.find(name), f"unknown type {quoted(name)}", hint)
        for part in _unreadable(found):
            if part.kind is Kind.MAP:
                message = f"times in a map are texts, so `{shown(part)}` cannot be read"
                self.wrong_at(path, 0, message, "`map(string, string)`, and `timestamp(…)` of one")
            else:
                self.wrong_at(path, 0, f"no attribute is `{shown(part)}`")
        return found

    def wrong_at(self, path: Path, offset: int, message: str, hint: str = "") -> None:
        offsets = self.text.scalar_offsets((0, *path))
        place = place_at(self.text.name, self.text.text, offsets[min(offset, len(offsets) - 1)])
        self.issues.append(Issue(place, "bad_type", message, hint))

    # -- fallbacks ---------------------------------------------------------------------------------

    def check_fallbacks(self, schema: Schema, fallbacks: Mapping[str, str]) -> None:
        for written, instead in fallbacks.items():
            path: Path = ("fallbacks", written)
            members = fallback(written, instead)
            if members is None:
                self.wrong(path, "bad_fallback", EXPECTED, FORM, at_key=True)
                continue
            wanted = self.declared(schema.subject, members[0], path, "subject")
            given = self.declared(schema.types()["context"], members[1], path, "context")
            if wanted is not None and given is not None and wanted is not given:
                message = f"`{written}` is `{wanted}`, but `{instead}` is `{given}`"
                self.wrong(path, "bad_fallback", message)

    def declared(self, type: Type, name: str, path: Path, root: str) -> Type | None:
        """The type of what one side of a fallback names."""
        if type.fields is None:
            return None
        if name in type.fields:
            return type.fields[name]
        message = f"the schema has no {quoted(f'{root}.{name}')}"
        hint = did_you_mean(name, type.fields)
        self.wrong(path, "bad_fallback", message, hint, at_key=root == "subject")
        return None


def _unreadable(type: Type) -> Iterator[Type]:
    """Parts of a type that no attribute has, or that are read as they are sent: times in maps."""
    if type.kind in (Kind.TYPE, Kind.OPAQUE, Kind.ANY):
        yield type
    if type.kind is Kind.MAP:
        for part in type.parameters:
            if part.kind in (Kind.TIMESTAMP, Kind.DURATION):
                yield type
    for part in type.parameters:
        yield from _unreadable(part)
