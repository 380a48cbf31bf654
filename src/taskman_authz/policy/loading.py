"""The policies at a path: a bundle, or documents that are compiled."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import StoreError
from ..limits import DEFAULT, Limits
from . import bundle
from .compiler import Progress, compile_documents
from .files import is_bundle, read_bytes, read_documents
from .policy_set import PolicySet
from .schema import Schema


def load_policies(
    path: str | os.PathLike[str],
    limits: Limits = DEFAULT,
    verify_key: str | os.PathLike[str] | None = None,
    schema: Schema | None = None,
    progress: Progress | None = None,
) -> PolicySet:
    """The policies of a bundle (a file whose name ends in `.bundle`), or of the documents of a
    folder or a file, which are checked against `schema` (a bundle was when it was made).
    `progress` is told what is done of what.

    With `verify_key`, a PEM file of an Ed25519 public key, only a bundle that its owner signed is
    loaded. Raises StoreError (missing, empty, unreadable, not signed) and CompileError with all
    issues.
    """
    if is_bundle(path):
        if schema is not None:
            raise StoreError(f"`{Path(path)}` is a bundle, which no schema can check any more")
        return load_bundle(path, limits, verify_key)
    if verify_key is not None:
        raise StoreError(f"only a bundle is signed, and `{Path(path)}` is none")
    return compile_documents(read_documents(path, limits), limits, schema, progress)


def load_bundle(
    path: str | os.PathLike[str],
    limits: Limits = DEFAULT,
    verify_key: str | os.PathLike[str] | None = None,
) -> PolicySet:
    """The policies of a bundle, whatever it is called. Raises StoreError."""
    data = read_bytes(Path(path), limits.bundle_bytes)
    return bundle.read(data, limits, verify_key, os.fspath(path))
