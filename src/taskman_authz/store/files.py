"""Policies in a folder or a file.

Law: whether something changed is told from names, sizes, times and inodes, without reading.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..limits import DEFAULT, Limits
from ..policy import PolicySet, load_policies
from ..policy.files import find_documents, fingerprint, read_documents


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
        return fingerprint(lambda: find_documents(self.path))
