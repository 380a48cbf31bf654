"""HTTP to a decision point: one connection a question, so that no answer depends on another.

Laws: what cannot be asked (refused, no TLS that is trusted, no answer in time) is an
`UnavailableError`; whatever is answered is a `Reply`.
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ...errors import ArgumentError, UnavailableError

JSON = "application/json"
WELL_KNOWN = "/.well-known/authzen-configuration"
PATHS = {
    "access_evaluation_endpoint": "/access/v1/evaluation",
    "access_evaluations_endpoint": "/access/v1/evaluations",
    "search_subject_endpoint": "/access/v1/search/subject",
    "search_resource_endpoint": "/access/v1/search/resource",
    "search_action_endpoint": "/access/v1/search/action",
}


class Reply(NamedTuple):
    """What was answered; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The value in the body. Raises ValueError for what is no JSON."""
        return json.loads(self.body)


class Point:
    """The decision point at `url`. `ca` is a PEM file of who signed its certificate, `cert` and
    `key` are those of ours, which is shown where it is asked for; `token` is sent as a bearer
    token. Raises ArgumentError for what is no URL of one, OSError for a file that is none."""

    def __init__(
        self,
        url: str,
        ca: str | None = None,
        token: str = "",
        cert: str | None = None,
        key: str | None = None,
        timeout: float = 10.0,
    ) -> None:
        self.url = url.rstrip("/")
        parts = urlsplit(self.url)
        is_plain = not (parts.query or parts.fragment or parts.username)
        if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain:
            raise ArgumentError("url", "`https://host`, with a path where there is one", f"`{url}`")
        self.is_encrypted = parts.scheme == "https"
        self._tls = ssl.create_default_context(cafile=ca) if self.is_encrypted else None
        if self._tls is not None and cert is not None:
            self._tls.load_cert_chain(cert, key)
        self._token = token
        self._timeout = timeout
        self.metadata_url = f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}{parts.path}"
        self.endpoints = {name: self.url + path for name, path in PATHS.items()}

    def discover(self) -> Reply:
        """What the point says of itself; its endpoints are asked from then on."""
        reply = self.ask("GET", self.metadata_url)
        try:
            described = reply.json() if reply.status == 200 else {}
        except ValueError:
            described = {}
        if isinstance(described, dict):
            for name in PATHS:
                if isinstance(described.get(name), str):
                    self.endpoints[name] = described[name]
        return reply

    def post(self, endpoint: str, body: Any, headers: Mapping[str, str] | None = None) -> Reply:
        """The reply to a body, a value or bytes, at one of the endpoints."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": JSON, **(headers or {})}
        return self.ask("POST", self.endpoints[endpoint], data, given)

    def ask(
        self,
        method: str,
        url: str,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """The reply to a request. Raises UnavailableError where there is none."""
        parts = urlsplit(url)
        given = dict(headers or {})
        place = parts.netloc.rpartition("@")[2]
        if self._token and place == urlsplit(self.url).netloc:  # nobody else learns it
            given["Authorization"] = f"Bearer {self._token}"
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            context = self._tls or ssl.create_default_context()
            connection = http.client.HTTPSConnection(place, timeout=self._timeout, context=context)
        else:
            connection = http.client.HTTPConnection(place, timeout=self._timeout)
        try:
            connection.request(method, parts.path or "/", data, given)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, found, answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise UnavailableError(f"`{url}` does not answer: {_why(error)}") from error
        finally:
            connection.close()


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error).lower() or type(error).__name__
