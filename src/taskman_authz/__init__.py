"""taskman_authz: may this subject do this action on this resource, and why?

    from taskman_authz import PDP

    pdp = PDP.from_path("policies/taskman")
    decision = pdp.check("user:123", "tasks:edit", "tasks/456", context={"ip": "10.0.0.7"})
    decision.allowed, decision.reasons, decision.revision    # and bool(decision)

Begin with `pdp` (the decision), `policy` (documents), `cel` (the language). What may be imported
from here is the interface; what may not is not.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from . import cel
from .decision import Decision, Reason
from .errors import (
    AuthzError,
    CompileError,
    CoreError,
    EvaluationError,
    RequestError,
    StoreError,
    UnavailableError,
)
from .issues import Issue, Issues, Place
from .limits import Limits
from .pdp import PDP, authorize
from .policy import PolicySet, compile_documents
from .request import CheckRequest, Entity, make_request

try:
    __version__ = version("taskman-authz")
except PackageNotFoundError:  # imported from a checkout that is not installed
    __version__ = "0"

__all__ = [
    "PDP",
    "AuthzError",
    "CheckRequest",
    "CompileError",
    "CoreError",
    "Decision",
    "Entity",
    "EvaluationError",
    "Issue",
    "Issues",
    "Limits",
    "Place",
    "PolicySet",
    "Reason",
    "RequestError",
    "StoreError",
    "UnavailableError",
    "__version__",
    "authorize",
    "cel",
    "compile_documents",
    "make_request",
]
