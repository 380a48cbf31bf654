"""What Envoy is answered: that the request goes on, or how it is answered instead.

Laws: a header that the upstream may trust is the sidecar's or not there: a client's own is
overwritten or removed, in any spelling that a server takes for the same. A denial tells codes and
policies as far as the settings allow, and never an attribute's value.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Literal, NamedTuple

from google.protobuf.struct_pb2 import Struct

from taskman_authz.decision import INVALID, Decision, Reason
from taskman_authz.envoy.v3 import external_auth_pb2 as pb
from taskman_authz.errors import RequestError

from ..status import Code, Status, http_headers
from .table import OVERRIDES, Table

NO_ROUTE = Reason("no_route")  # the table has none of this method and path
NO_SUBJECT = Reason("no_subject")  # nobody that the table knows

# Fields of a request that is wrong whoever sends it.
MALFORMED = {"attributes", "attributes.request.http", "path", "query"}

OVERWRITE = 2  # HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD

Reasons = tuple[Reason, ...]
Shown = Literal["none", "codes", "policies"]


class Told(NamedTuple):
    """What access logs and the filters behind may read."""

    decision: str  # allow, deny, public
    route: str = ""  # as it was written
    reasons: Reasons = ()
    revision: str = ""  # of the policies

    @classmethod
    def of(cls, decision: Decision, route: str) -> Told:
        """What there is to tell of a decision."""
        return cls(decision.effect, route, decision.reasons, decision.revision)

    def struct(self) -> Struct:
        """As dynamic metadata."""
        policies = [reason.policy for reason in self.reasons if reason.policy]
        found: dict[str, Any] = {"decision": self.decision, "reasons": _codes(self.reasons)}
        found |= {"route": self.route, "revision": self.revision, "policies": policies}
        struct = Struct()
        struct.update({name: value for name, value in found.items() if value})
        return struct


def go_on(table: Table, sent: Iterable[str], headers: Mapping[str, str], told: Told) -> bytes:
    """The request goes on with `headers`; `sent` are the names of the headers that it came with.
    Raises RequestError."""
    for name, value in headers.items():
        if not value.isprintable():
            raise RequestError(f"headers.{name}", "what was sent cannot stand in a header")
    ours = {*table.headers, *table.removed, *OVERRIDES}
    # A server behind WSGI or CGI takes `x_user` for `x-user`. We are told what was sent, but Envoy
    # may be configured to keep some of it from us.
    alike = {name.replace("-", "_") for name in ours}
    alike |= {name for name in sent if "_" in name and name.replace("_", "-") in ours}
    # What is in both lists would be given first, and then removed.
    removed = sorted((ours | alike) - headers.keys())
    response = pb.OkHttpResponse(headers=_options(headers), headers_to_remove=removed)
    answer = pb.CheckResponse(status=pb.Status(code=0), ok_response=response)
    answer.dynamic_metadata.CopyFrom(told.struct())
    return answer.SerializeToString()


class Denials:
    """Denials in words: `shown` of their reasons; `challenge` is where to get a subject."""

    def __init__(self, shown: Shown, challenge: str) -> None:
        self._shown = shown
        self._challenge = challenge

    def deny(self, code: Code, told: Told, more: Mapping[str, str] | None = None) -> bytes:
        """The request is answered with the status of `code`, a problem (RFC 9457), and `more`
        headers."""
        headers = {"content-type": "application/problem+json", **(more or {})}
        if code is Code.UNAUTHENTICATED:
            headers["www-authenticate"] = self._challenge
        answer = pb.CheckResponse(
            status=pb.Status(code=code.number),
            denied_response=pb.DeniedHttpResponse(
                status=pb.HttpStatus(code=code.http),
                headers=_options(headers),
                body=json.dumps(self._problem(code.http, told.reasons)),
            ),
        )
        answer.dynamic_metadata.CopyFrom(told.struct())
        return answer.SerializeToString()

    def refuse(self, status: Status) -> bytes:
        """There is no answer, which is a denial: never an error of gRPC, which Envoy may be
        configured to let through. 401 would be about the client, and a refusal of that kind is
        about Envoy."""
        code, reason = status.code, status.code.name.lower()
        if code is Code.INVALID_ARGUMENT:
            reason = INVALID
            if not {field for field, _ in status.fields} <= MALFORMED:
                code = Code.PERMISSION_DENIED
        if code is Code.UNAUTHENTICATED:
            code = Code.PERMISSION_DENIED
        headers = http_headers(status._replace(code=code))
        return self.deny(code, Told("deny", reasons=(Reason(reason),)), headers)

    def _problem(self, status: int, reasons: Reasons) -> dict[str, Any]:
        found: dict[str, Any] = {"title": _title(status), "status": status}
        if self._shown == "codes":
            found["reasons"] = [{"code": code} for code in _codes(reasons)]
        elif self._shown == "policies":
            found["reasons"] = [
                {"code": each.code, "policy": each.policy} if each.policy else {"code": each.code}
                for each in reasons
            ]
        return found


def _codes(reasons: Reasons) -> list[str]:
    return list(dict.fromkeys(reason.code for reason in reasons))


def _options(headers: Mapping[str, str]) -> list[pb.HeaderValueOption]:
    return [
        pb.HeaderValueOption(header=pb.HeaderValue(key=name, value=value), append_action=OVERWRITE)
        for name, value in headers.items()
    ]


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # 499, which is nginx's
        return "Request refused"
