"""Policies in a folder or a file.

Law: whether something changed is told from names, sizes, times and inodes, without reading.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ..errors import StoreError
from ..limits import DEFAULT, Limits
from ..policy import PolicySet, load_policies
from ..policy.files import find_documents, read_documents


class FileStore:
    """The policy documents at `path` (`taskman_authz.policy.files` says which these are), or the
    bundle that is there."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        limits: Limits = DEFAULT,
        verify_key: str | os.PathLike[str] | None = None,
    ) -> None:
        self.path = Path(path)
        self.limits = limits
        self.verify_key = verify_key

    def load(self) -> list[tuple[str, str]]:
        """Name and text of every document. Raises StoreError: missing, empty or unreadable."""
        return read_documents(self.path, self.limits)

    def policies(self) -> PolicySet:
        """The policies of the documents, or of the bundle that is at the path (`load_policies`).
        Raises StoreError, CompileError."""
        return load_policies(self.path, self.limits, self.verify_key)

    def fingerprint(self) -> str:
        """Another text once a document was added, removed or written; also when the folder cannot
        be read any more."""
        digest = hashlib.sha256()
        try:
            for file in find_documents(self.path):
                state = file.stat()
                parts = (str(file), state.st_ino, state.st_size, state.st_mtime_ns)
                digest.update(repr(parts).encode())
        except (StoreError, OSError) as error:
            digest.update(type(error).__name__.encode())
        return digest.hexdigest()
