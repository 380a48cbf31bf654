"""From policy documents to a PolicySet.

Begin with `document` (what a document may say), then `compiler` (the stages: `loader`, `linker`,
conditions, rows). `changes` makes another set of one that differs in a few policies; `bundle`
writes a set to a file and reads it; `loading` takes whichever there is. `files` finds documents on
a disk; `schema.json` is what editors read.
"""

from __future__ import annotations

from .changes import change
from .compiler import compile_documents
from .document import Policy, PolicyDocument, Role
from .loading import load_policies
from .policy_set import PolicySet

__all__ = [
    "Policy",
    "PolicyDocument",
    "PolicySet",
    "Role",
    "change",
    "compile_documents",
    "load_policies",
]
