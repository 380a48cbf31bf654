"""taskman_authz: may this subject do this action on this resource, and why?

    from taskman_authz import PDP

    pdp = PDP.from_path("policies/taskman")
    decision = pdp.check("user:123", "tasks:edit", "tasks/456", context={"ip": "10.0.0.7"})
    decision.allowed, decision.reasons, decision.revision    # and bool(decision)

Begin with `pdp` (the decision), `policy` (documents), `cel` (the language). What may be imported
from here is the interface; what may not is not.

Law: a name's module is imported when the name is first asked for. Who evaluates an expression on
a command line does not wait for what reads YAML.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import cel
    from .decision import Decision, Reason
    from .decision_log import DecisionLog
    from .errors import (
        AlreadyExistsError,
        ArgumentError,
        AuthzError,
        CompileError,
        ConflictError,
        DeniedError,
        EvaluationError,
        NotFoundError,
        RequestError,
        StoreError,
        UnauthorizedError,
        UnavailableError,
    )
    from .issues import Issue, Issues, Place
    from .limits import Limits
    from .pdp import PDP, Shadow, authorize
    from .policy import PolicySet, Schema, compile_documents
    from .request import CheckRequest, Entity, make_request

    __version__: str

__all__ = [
    "PDP",
    "ArgumentError",
    "AuthzError",
    "CheckRequest",
    "CompileError",
    "AlreadyExistsError",
    "ConflictError",
    "Decision",
    "DecisionLog",
    "DeniedError",
    "Entity",
    "EvaluationError",
    "Issue",
    "Issues",
    "Limits",
    "NotFoundError",
    "Place",
    "PolicySet",
    "Reason",
    "RequestError",
    "Schema",
    "Shadow",
    "StoreError",
    "UnauthorizedError",
    "UnavailableError",
    "__version__",
    "authorize",
    "cel",
    "compile_documents",
    "make_request",
]

_HOMES = {
    "decision": ("Decision", "Reason"),
    "decision_log": ("DecisionLog",),
    "errors": (
        "ArgumentError",
        "AuthzError",
        "CompileError",
        "AlreadyExistsError",
        "ConflictError",
        "DeniedError",
        "EvaluationError",
        "NotFoundError",
        "RequestError",
        "StoreError",
        "UnauthorizedError",
        "UnavailableError",
    ),
    "issues": ("Issue", "Issues", "Place"),
    "limits": ("Limits",),
    "pdp": ("PDP", "Shadow", "authorize"),
    "policy": ("PolicySet", "Schema", "compile_documents"),
    "request": ("CheckRequest", "Entity", "make_request"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    elif name == "cel":
        value = import_module(f"{__name__}.cel")
    elif name == "__version__":
        value = _version()
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("taskman-authz")
    except PackageNotFoundError:  # imported from a checkout that is not installed
        return "0"
