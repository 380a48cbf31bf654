"""Where secrets come from. A setting of this kind is the secret itself, or says where it rests:
`file:PATH`, or `vault:mount/path#key` (HashiCorp Vault, KV version 2; extra `[vault]`).

Begin with `sources`; `vault` signs in, and stays so; `leases` are users of databases that Vault
makes.

Laws: a secret is read when it is needed and again later (`kept` holds the last good one), never
printed, and in no error.
"""

from __future__ import annotations

from .sources import VAULT, Secrets, Source

__all__ = ["VAULT", "Secrets", "Source"]
