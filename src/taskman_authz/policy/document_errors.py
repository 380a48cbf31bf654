"""What is wrong with a document that is YAML but no policy document, in the house's words.

Law: pydantic finds what is wrong, and not a word of it reaches the author. A value is told by what
it is in YAML: a text, a number, a boolean, a list, a map, nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from .document import DerivedRole, Policy, PolicyDocument, Role
from .suggestions import did_you_mean

Models = Mapping[str, type[BaseModel]]
SHOWN = 60  # of a long text only so many characters are repeated in a message


class Finding(NamedTuple):
    """Something wrong at a path of the document; `at_key` where it is the key that is wrong."""

    path: tuple[str | int, ...]
    code: str
    message: str
    hint: str = ""
    at_key: bool = False


def findings(error: ValidationError, models: Models | None = None) -> list[Finding]:
    """Everything that pydantic found. `models` are those that know the keys: of the document (""),
    and of what stands under some of its keys; None: of a policy document."""
    known = _MODELS if models is None else models
    return [
        _finding(detail, known)
        for detail in error.errors(include_url=False, include_context=True, include_input=True)
    ]


def quoted(text: str) -> str:
    """What the user wrote, in backticks, on one line."""
    shown = text if len(text) <= SHOWN else text[:SHOWN] + "…"
    return "`" + "".join(c if c.isprintable() else " " for c in shown) + "`"


def _finding(detail: Mapping[str, Any], models: Models) -> Finding:
    kind, path, found = detail["type"], detail["loc"], detail["input"]
    if kind == "missing":
        return Finding(path[:-1], "missing_key", f"the key `{path[-1]}` is missing")
    if kind == "extra_forbidden":
        key = str(path[-1])
        hint = did_you_mean(key, _model(path, models).model_fields)
        return Finding(path, "unknown_key", f"unknown key {quoted(key)}", hint, at_key=True)
    message, hint = _MESSAGES.get(kind, _other)(found, detail.get("ctx", {}))
    return Finding(path, "bad_value", message, hint)


def _model(path: tuple[str | int, ...], models: Models) -> type[BaseModel]:
    return models.get(str(path[0]), models[""]) if len(path) > 1 else models[""]


_MODELS: Models = {
    "": PolicyDocument,
    "policies": Policy,
    "roles": Role,
    "derived_roles": DerivedRole,
}


def _what(found: Any) -> str:
    if found is None:
        return "nothing"
    for kind, word in _WORDS:
        if isinstance(found, kind):
            return word
    return "something else"


_WORDS: tuple[tuple[type, str], ...] = (
    (bool, "a boolean"),
    (int, "a number"),
    (float, "a number"),
    (str, "a text"),
    (list, "a list"),
    (dict, "a map"),
)


def _not_text(found: Any, context: Any) -> tuple[str, str]:
    hint = "put it in quotes" if isinstance(found, (bool, int, float)) else ""
    return f"expected a text, found {_what(found)}", hint


def _not_list(found: Any, context: Any) -> tuple[str, str]:
    hint = "write a list of one: [...]" if isinstance(found, str) else ""
    return f"expected a list, found {_what(found)}", hint


def _not_map(found: Any, context: Any) -> tuple[str, str]:
    return f"expected a map of keys and values, found {_what(found)}", ""


def _not_listed(found: Any, context: Any) -> tuple[str, str]:
    expected = str(context["expected"]).replace("'", "`")
    if not isinstance(found, str):
        return f"expected {expected}, found {_what(found)}", ""
    choices = [choice for choice in expected.split("`") if choice.isalpha()]
    return f"expected {expected}, found {quoted(found)}", did_you_mean(found.lower(), choices)


def _badly_formed(found: Any, context: Any) -> tuple[str, str]:
    if found.strip() != found:
        return f"{quoted(found)} begins or ends with white space", ""
    if any(not character.isprintable() for character in found):
        return f"{quoted(found)} contains a control character", ""
    return f"{quoted(found)} contains white space", ""


def _other(found: Any, context: Any) -> tuple[str, str]:
    return f"unexpected value: {_what(found)}", ""


_MESSAGES: dict[str, Callable[[Any, Any], tuple[str, str]]] = {
    "string_type": _not_text,
    "list_type": _not_list,
    "model_type": _not_map,
    "model_attributes_type": _not_map,
    "dict_type": _not_map,
    "literal_error": _not_listed,
    "string_pattern_mismatch": _badly_formed,
    "string_too_short": lambda found, context: ("expected a text, found an empty one", ""),
    "string_too_long": lambda found, context: (
        f"longer than {context['max_length']} characters",
        "",
    ),
    "too_short": lambda found, context: ("expected at least one entry", ""),
    "too_long": lambda found, context: (f"more than {context['max_length']} entries", ""),
}
