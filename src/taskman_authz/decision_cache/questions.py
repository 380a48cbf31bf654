"""Questions as keys: two have the same key where nothing that a decision reads tells them apart."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import msgspec

from ..remembered import resource_tag, subject_tag
from ..request import CheckRequest

PREFIX = "authz:permission:"
_ENCODER = msgspec.msgpack.Encoder(order="sorted")  # tells NaN from null, and 1 from 1.0


class Question(NamedTuple):
    """A question: its key, and a tag for each that somebody else may know more of."""

    key: str
    tags: tuple[str, ...]


def question(request: CheckRequest, revision: str, roles_epoch: str = "") -> Question | None:
    """The question that a request asks of the policies of a revision, by a subject whose roles are
    of an epoch. None where it holds values that no key can be made of: objects of a caller's."""
    company, subject, resource = _names(request)
    read = (
        revision,
        roles_epoch,
        request.company_id,
        subject,
        request.action,
        resource,
        request.roles,
        request.subject,
        request.action_attributes,
        request.resource,
        request.context,
    )
    try:
        digest = hashlib.blake2b(_ENCODER.encode(read), digest_size=16).hexdigest()
    except (TypeError, ValueError, OverflowError, RecursionError):
        return None
    named = f"{company}:{subject}:{request.action}:{resource}"
    if len(named) > LONGEST:
        named = hashlib.blake2b(named.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    tags = (
        subject_tag(request.company_id, request.subject_type, request.subject_id),
        resource_tag(request.company_id, request.resource_type, request.resource_id),
    )
    return Question(f"{PREFIX}{named}:{digest}", tags)


LONGEST = 512  # characters of names in a key; names are the caller's to make up


def _names(request: CheckRequest) -> tuple[str, str, str]:
    # A type has no `:` in it and a kind no `/`, so these are told apart.
    subject = f"{request.subject_type}:{request.subject_id}"
    return request.company_id or "", subject, f"{request.resource_type}/{request.resource_id}"
