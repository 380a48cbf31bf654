"""gRPC on libnghttp2: the same handlers as on grpcio at a tenth of the CPU.

Begin with `server.FastServer`. `answering` knows what becomes of a call (one answer, one that takes
long, many), `session` (Cython) is gRPC's framing over the library, and the only part that is
compiled: where it could not be, `missing` says why and the sidecar serves on grpcio.

Laws: one loop, that of the other faces, so nothing is locked. The calls pass the same door.
"""

from __future__ import annotations


def missing() -> str:
    """Why this transport cannot be had here; empty if it can."""
    try:
        from . import session  # noqa: F401
    except ImportError as error:
        if "libnghttp2" in str(error) or "undefined symbol" in str(error):
            return f"libnghttp2 cannot be used: {error}"
        return "it was not compiled: libnghttp2 was not there when the package was built"
    return ""
