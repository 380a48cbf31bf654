"""Where secrets come from. A setting of this kind is the secret itself, or `file:PATH` of what
holds it.

Laws: a secret is read when it is needed and again later, never printed, and in no error.
"""

from __future__ import annotations

from .sources import Secrets

__all__ = ["Secrets"]
