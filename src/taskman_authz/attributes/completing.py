"""A request with what is known of its subject and its resource beside what it says itself.

Laws: what the request says counts, key by key; if it gives roles, the stored ones are not looked
at. A request about which nothing is known comes back as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ..errors import RequestError
from ..request import CheckRequest
from .entities import Entities, StoredEntity


def complete(request: CheckRequest, entities: Entities) -> CheckRequest:
    """The request with the stored attributes that it does not give. Raises RequestError where it
    gives the attributes of somebody who is known as something else than a mapping."""
    company = request.company_id
    subject = entities.subject(request.subject_type, request.subject_id, company)
    resource = entities.resource(request.resource_type, request.resource_id, company)
    if subject is None and resource is None:
        return request
    return msgspec.structs.replace(
        request,
        roles=None,  # they are read of the subject's attributes again
        subject=_joined("subject", request.subject, subject),
        resource=_joined("resource", request.resource, resource),
    )


def _joined(field: str, given: Any, known: StoredEntity | None) -> Any:
    if known is None:
        return given
    if not given:
        return known.attributes
    if not isinstance(given, Mapping):
        found = f"a value of type {type(given).__name__}"
        raise RequestError(field, f"expected a mapping of attributes, found {found}")
    return {**known.attributes, **given}
