"""The table of routes as OpenAPI 3.1: paths, parameters, bodies, answers, problems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .problems import JSON, PROBLEM
from .routes import Route

VERSION = "2.0.0"  # of what is described: it grows with every change that a caller notices
_VALUES: dict[str, dict[str, Any]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Struct": {"type": "object"},
}
PROBLEMS = {
    "400": "The request is malformed, or a value is not of its field",
    "401": "There is no token, or none that is good",
    "403": "The policies do not let the caller",
    "404": "There is no such thing in the caller's company",
    "409": "It cannot be done as things are, or somebody else changed it meanwhile",
    "413": "The body is too long",
    "414": "The address is too long",
    "415": "The body is no JSON",
    "429": "Too many requests",
    "503": "A service that is needed does not answer",
    "504": "There was no answer in time",
}


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The whole."""
    schemas: dict[str, Any] = {
        "Problem": {
            "type": "object",
            "required": ["type", "title", "status", "detail", "request_id"],
            "properties": {
                **{name: {"type": "string"} for name in ("type", "title", "detail", "request_id")},
                "status": {"type": "integer"},
                "errors": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["field", "detail"],
                        "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
                    },
                },
            },
        }
    }
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.verb.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "TaskMan", "version": VERSION},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }


def _operation(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    descriptor = route.request.DESCRIPTOR
    fields = descriptor.fields_by_name
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", **({"format": "uuid"} if name.endswith("_id") else {})},
        }
        for name in route.parameters
    ]
    if route.verb == "GET":
        parameters += [
            {"name": name, "in": "query", "schema": _schema(field, schemas)}
            for name, field in fields.items()
            if name not in route.parameters and _is_asked(route, name)
        ]
    made: dict[str, Any] = {
        "operationId": _id(route),
        "summary": route.summary,
        "tags": [route.service],
        "parameters": parameters,
        "security": [] if route.public else [{"token": []}],
        "responses": {
            "200": {
                "description": "Done",
                "content": {JSON: {"schema": _reference(route.response.DESCRIPTOR, schemas)}},
            },
            **{
                status: {
                    "description": what,
                    "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
                }
                for status, what in PROBLEMS.items()
            },
        },
    }
    if route.fill:
        made["requestBody"] = {"content": {JSON: {"schema": _body(route, schemas)}}}
    return made


def _is_asked(route: Route, name: str) -> bool:
    """Whether a field may stand in the query. (An address instead of an id is for services.)"""
    field = route.request.DESCRIPTOR.fields_by_name[name]
    one_of = field.containing_oneof
    return one_of is None or one_of.name.startswith("_") or not route.parameters


def _body(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    descriptor = route.request.DESCRIPTOR
    if route.fill != "*":
        return _reference(descriptor.fields_by_name[route.fill].message_type, schemas)
    names = route.takes or tuple(descriptor.fields_by_name)
    properties = {
        name: _schema(descriptor.fields_by_name[name], schemas)
        for name in names
        if name not in route.parameters
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _reference(descriptor: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    name = descriptor.name
    if name not in schemas:
        schemas[name] = {}  # before its fields: a message may hold itself
        properties = {
            field.name: _schema(field, schemas) for field in descriptor.fields_by_name.values()
        }
        schemas[name] = {"type": "object", "properties": properties}
    return {"$ref": f"#/components/schemas/{name}"}


def _schema(field: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    one = _single(field, schemas)
    return {"type": "array", "items": one} if field.is_repeated else one


def _single(field: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    if field.type == field.TYPE_MESSAGE:
        value = _VALUES.get(field.message_type.full_name)
        return dict(value) if value else _reference(field.message_type, schemas)
    if field.type == field.TYPE_BOOL:
        return {"type": "boolean"}
    if field.type == field.TYPE_INT32:
        return {"type": "integer", "format": "int32"}
    if field.type == field.TYPE_INT64:  # as JSON has them: a number there holds 53 bits
        return {"type": "string", "format": "int64"}
    if field.type == field.TYPE_STRING:
        return {"type": "string"}
    raise ValueError(f"{field.full_name}: a kind of field that no route has had")


def _id(route: Route) -> str:
    """A name of its own: an RPC may have two routes."""
    ending = "Comment" if route.path.endswith("/comments") else ""
    return f"{route.rpc}{ending}"
