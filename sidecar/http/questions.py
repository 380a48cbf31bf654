"""AuthZEN bodies → requests (sections 5 to 8 of the specification).

Laws: unknown fields are ignored wherever they are. What is missing, or is something else than it
must be, is a `RequestError` that names the field; where that is in one of many items, the item's.
Bodies are bounded in size and depth before anything is built of them.

A subject `{type, id, properties}` is our subject with its attributes, `roles` among them, a
resource the same; `context` is the context, and the tenant's path the company. An action's name
that has a `:` is one of ours as it is (`tasks:edit`); any other is what may be done with the
resource's type: `edit` of `{"type": "tasks"}` is `tasks:edit`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from taskman_authz import json_text
from taskman_authz.decision import Decision
from taskman_authz.errors import RequestError
from taskman_authz.limits import Limits
from taskman_authz.request import CheckRequest

# Levels of a body above the values of properties: the body, a list, an item, an entity, properties.
ENVELOPE = 4
SOUGHT = "-"  # in the place of the id, or the action, that a search is for

Body = Mapping[str, Any]
Semantic = Literal["execute_all", "deny_on_first_deny", "permit_on_first_permit"]
SEMANTICS: tuple[Semantic, ...] = ("execute_all", "deny_on_first_deny", "permit_on_first_permit")
Sought = Literal["subject", "resource", "action"]

# What must be in an entity.
_REQUIRED = {"subject": ("type", "id"), "action": ("name",), "resource": ("type", "id")}


def parse_body(data: bytes, limits: Limits) -> Body:
    """The JSON object in a body. Raises RequestError."""
    if len(data) > limits.message_bytes:
        raise RequestError("body", f"longer than {limits.message_bytes} bytes")
    if json_text.is_deeper(data, limits.property_depth + ENVELOPE):
        raise RequestError("body", f"deeper than {limits.property_depth} levels of properties")
    try:
        body = json_text.parse(data.decode())
    except UnicodeDecodeError as error:
        raise RequestError("body", f"not UTF-8: byte {error.start}") from None
    except json_text.NotJSONError as error:
        where = f", at character {error.position}" if error.position >= 0 else ""
        raise RequestError("body", f"not JSON: {error.why}{where}") from None
    if not isinstance(body, dict):
        raise RequestError("body", f"expected an object, found {_what(body)}")
    return body


def read_evaluation(body: Body, company: str | None, now: int, limits: Limits) -> CheckRequest:
    """The question that a body asks. Raises RequestError."""
    return _request(body, company, now, limits)


class Batch(NamedTuple):
    """Many questions, or in the place of one what is wrong with it, and how far to go."""

    questions: Iterator[CheckRequest | RequestError]
    semantic: Semantic

    def ends(self, decision: Decision) -> bool:
        """Whether this is the last decision that is asked for."""
        return self.semantic == ("permit_on_first_permit" if decision else "deny_on_first_deny")


def read_evaluations(body: Body, company: str | None, now: int, limits: Limits) -> Batch | None:
    """The questions of a body, each made when it is asked for; None where it has no items, and so
    is one question. Raises RequestError for what is wrong with the whole."""
    items = body.get("evaluations")
    if items is None or items == []:
        return None
    if not isinstance(items, list):
        raise RequestError("evaluations", f"expected a list, found {_what(items)}")
    if len(items) > limits.batch_size:
        raise RequestError("evaluations", f"more than {limits.batch_size} items")
    semantic = _semantic(body.get("options"))
    defaults = {name: _object(body, name) for name in (*_REQUIRED, "context")}
    return Batch((_item(item, defaults, company, now, limits) for item in items), semantic)


class Search(NamedTuple):
    """A question of which one part is sought, and which page of the answers."""

    request: CheckRequest
    limit: int | None
    token: str
    is_paged: bool


def read_search(
    sought: Sought, body: Body, company: str | None, now: int, limits: Limits
) -> Search:
    """The search of a body. Raises RequestError."""
    page = _object(body, "page")
    limit, token = (None, None) if page is None else (page.get("limit"), page.get("token"))
    if limit is not None and (type(limit) is not int or limit < 0):
        raise RequestError("page.limit", f"expected a whole number from 0, found {_what(limit)}")
    if token is not None and not isinstance(token, str):
        raise RequestError("page.token", f"expected a string, found {_what(token)}")
    request = _request(body, company, now, limits, sought)
    return Search(request, limit, token or "", page is not None)


def _request(
    body: Body, company: str | None, now: int, limits: Limits, sought: Sought | None = None
) -> CheckRequest:
    subject, resource = _entity(body, "subject", sought), _entity(body, "resource", sought)
    if sought == "action":
        name, action_properties = SOUGHT, None
    else:
        action = _entity(body, "action")
        name, action_properties = action["name"], _properties(action, "action")
        if isinstance(name, str) and ":" not in name and isinstance(resource["type"], str):
            name = f"{resource['type']}:{name}" if name else ""
    return CheckRequest(
        subject_type=subject["type"],
        subject_id=SOUGHT if sought == "subject" else subject["id"],
        action=name,
        resource_type=resource["type"],
        resource_id=SOUGHT if sought == "resource" else resource["id"],
        subject=_properties(subject, "subject"),
        action_attributes=action_properties,
        resource=_properties(resource, "resource"),
        context=_object(body, "context"),
        company_id=company,
        now=now,
        limits=limits,
    )


def _item(
    item: Any, defaults: Body, company: str | None, now: int, limits: Limits
) -> CheckRequest | RequestError:
    try:
        if not isinstance(item, dict):
            raise RequestError("evaluation", f"expected an object, found {_what(item)}")
        return _request(_with_defaults(item, defaults), company, now, limits)
    except RequestError as error:
        return error


def _with_defaults(item: Body, defaults: Body) -> Body:
    """An item's own entities are whole, and those of the defaults stand in for what it has none
    of; only a `type`, `id` or `name` that its entity lacks is that of the default."""
    whole = dict(defaults)
    for name, required in (*_REQUIRED.items(), ("context", ())):
        own, default = item.get(name), defaults.get(name)
        if own is None:
            continue
        if isinstance(own, dict) and default is not None:
            own = {key: default[key] for key in required if key in default} | own
        whole[name] = own
    return whole


def _entity(body: Body, name: str, sought: Sought | None = None) -> Body:
    """A subject, an action or a resource with what it must have."""
    found = _object(body, name)
    if found is None:
        raise RequestError(name, "missing")
    for key in _REQUIRED[name]:
        if found.get(key) is None and not (name == sought and key == "id"):
            raise RequestError(f"{name}.{key}", "missing")
    return found


def _properties(entity: Body, name: str) -> Body | None:
    found = entity.get("properties")
    if found is not None and not isinstance(found, dict):
        raise RequestError(f"{name}.properties", f"expected an object, found {_what(found)}")
    return found


def _object(body: Body, name: str) -> dict[str, Any] | None:
    found = body.get(name)
    if found is not None and not isinstance(found, dict):
        raise RequestError(name, f"expected an object, found {_what(found)}")
    return found


def _semantic(options: Any) -> Semantic:
    if options is None:
        return "execute_all"
    if not isinstance(options, dict):
        raise RequestError("options", f"expected an object, found {_what(options)}")
    found = options.get("evaluations_semantic", "execute_all")
    for semantic in SEMANTICS:
        if found == semantic:
            return semantic
    expected = ", ".join(f"`{semantic}`" for semantic in SEMANTICS)
    raise RequestError("options.evaluations_semantic", f"expected one of {expected}")


def _what(value: Any) -> str:
    """What a value is, as JSON calls it."""
    return next(word for kind, word in _WORDS if isinstance(value, kind))


_WORDS: tuple[tuple[type, str], ...] = (
    (bool, "a boolean"),
    (int, "a number"),
    (float, "a number"),
    (str, "a string"),
    (list, "a list"),
    (dict, "an object"),
    (object, "null"),
)
