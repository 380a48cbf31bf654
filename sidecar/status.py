"""Which status an exception becomes. The only place that knows.

Law: a caller learns what is wrong with its own request, and of everything else only that it
failed; the log learns the rest.
"""

from __future__ import annotations

import grpc

from taskman_authz.errors import RequestError


def status_of(error: Exception) -> tuple[grpc.StatusCode, str]:
    """The code and the message for the caller."""
    if isinstance(error, RequestError):
        return grpc.StatusCode.INVALID_ARGUMENT, str(error)
    return grpc.StatusCode.INTERNAL, "the decision point failed; treat this as a denial"
