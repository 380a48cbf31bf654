"""Who may ask the sidecar, and how the way to it is kept safe.

Begin with `security`, which makes the rest of settings: `listening` opens addresses in `tls` by
`certificates`; `peers` names who is at the other end, `authenticator` adds the owner of a token
(`tokens`, or `jwts` with the keys of `jwks`), `callers` says who may call what.

Laws: what is not proved is not believed, and what cannot be checked is a no. What is in place stays
until what replaces it has been found good. No secret is in a log, an error or a text of an object.
"""

from __future__ import annotations

from .callers import Names, OnlyCallers
from .listening import Listening, refuse_plain
from .peers import connection_names, grpc_names
from .security import SECURITY, Security

__all__ = [
    "SECURITY",
    "Listening",
    "Names",
    "OnlyCallers",
    "Security",
    "connection_names",
    "grpc_names",
    "refuse_plain",
]
