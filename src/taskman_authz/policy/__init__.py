"""From policy documents to a PolicySet.

Begin with `document` (what a document may say), then `compiler` (the stages: `loader`, `linker`,
`resolver`, conditions, rows). `schema` is what policies are checked against, `schema_document` how
it is written; `definitions` are the names that files give, `rewriting` works both into conditions.
`changes` makes another set of one that differs in a few policies; `bundle` writes a set to a file
and reads it; `loading` takes whichever there is. `files` finds documents on a disk, and
`schema.json` is what editors read.
"""

from __future__ import annotations

from .changes import change, declare
from .compiler import compile_documents
from .document import Policy, PolicyDocument, Role
from .loading import load_policies
from .policy_set import PolicySet
from .schema import Schema

__all__ = [
    "Policy",
    "PolicyDocument",
    "PolicySet",
    "Role",
    "Schema",
    "change",
    "compile_documents",
    "declare",
    "load_policies",
]
