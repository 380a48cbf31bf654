"""From Envoy's message to what is asked.

Laws: an error names a place and never holds what was sent. Who asks, and of which company, is read
from what the proxy verified.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.message import DecodeError

from taskman_authz.envoy.v3 import external_auth_pb2 as pb
from taskman_authz.errors import RequestError
from taskman_authz.limits import Limits
from taskman_authz.request import CheckRequest, Entity, make_request
from taskman_authz.wire.properties import read_properties

from .table import Route, Table, text, text_if_any, values
from .targets import Target, read_query, read_target

JWT_AUTHN = "envoy.filters.http.jwt_authn"


class Asked:
    """A request that waits at the proxy. Raises RequestError where it is none of HTTP, or its path
    may be read as two."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        try:
            attributes = pb.CheckRequest.FromString(data).attributes
        except DecodeError:
            raise RequestError("attributes", "no message that can be read") from None
        http = attributes.request.http
        if not http.method or not http.path:
            raise RequestError("attributes.request.http", "expected a method and a path")
        self.limits = limits
        self.method = http.method
        self.target: Target = read_target(http.path, limits)
        self.headers = _headers(http)
        # Envoy's own number is that of a stream, which nobody else knows.
        self.id = self.headers.get("x-request-id", http.id)
        self._attributes = attributes

    def proven(self, table: Table, trusted: Mapping[str, str]) -> dict[str, Any]:
        """What the proxy verified; `trusted` are headers by the names that expressions have."""
        source = self._attributes.source
        found = {"principal": source.principal, "address": source.address.socket_address.address}
        headers = ((name, self.headers.get(header)) for name, header in trusted.items())
        return {
            "claims": _claims(self._attributes.metadata_context, table.claims, self.limits),
            "source": {name: value for name, value in found.items() if value},
            "extensions": dict(self._attributes.context_extensions),
            "trusted": {name: value for name, value in headers if value is not None},
        }

    def sent(self, route: Route, parameters: dict[str, str]) -> dict[str, Any]:
        """What the client sent, as far as the route reads it."""
        http = self._attributes.request.http
        return {
            "headers": self.headers,
            "query": read_query(self.target.query, self.limits) if route.reads_query else {},
            "path": parameters,
            "request": {
                "method": http.method,
                "host": http.host,
                "scheme": http.scheme,
                "id": http.id,
            },
        }


def find_subject(table: Table, proven: Mapping[str, Any]) -> Entity | None:
    """Who asks; None: nobody who is known. Raises RequestError."""
    for rule in table.subjects:
        if id := text_if_any(rule.id, proven, "subject.id"):
            return Entity(rule.type, id, values(rule.attributes, proven, "subject"))
    return None


def make_question(
    table: Table,
    route: Route,
    subject: Entity,
    proven: Mapping[str, Any],
    sent: Mapping[str, Any],
    limits: Limits,
) -> CheckRequest:
    """What a route with a check asks. Raises RequestError."""
    assert route.check is not None
    variables = {**proven, **sent}
    company = text(table.company, proven, "company") if table.company else ""
    resource = route.check.reader(sent["path"])()
    attributes = values(route.attributes, variables, "resource")
    return make_request(
        subject,
        route.check.action,
        Entity(resource.type, resource.id, attributes),
        values(route.context, variables, "context"),
        company or None,
        limits=limits,
    )


def _headers(http: pb.HttpRequest) -> dict[str, str]:
    """The headers by their names in lower case; of those that come several times, the values with
    commas between them."""
    found = dict(http.headers)
    for header in http.header_map.headers:
        name = header.key.lower()
        value = header.value or header.raw_value.decode(errors="backslashreplace")
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _claims(metadata: pb.Metadata, key: str, limits: Limits) -> dict[str, Any]:
    """The payload of the verified token; empty where there is none."""
    if JWT_AUTHN not in metadata.filter_metadata:
        return {}
    found = metadata.filter_metadata[JWT_AUTHN]
    if key not in found.fields:
        return {}
    return read_properties(found.fields[key].struct_value, "claims", limits)
