"""Policies in PostgreSQL, followed while they change.

Begin with `control`, which makes all of it of settings. `revisions` is what the database gives,
`following` keeps the newest good revision in place, `cache` keeps it in a file for a start without
the database, `connecting` is the connection.

Laws: decisions never wait for the database. What it gives is put in place only when it is whole and
good; while it is away, slow or wrong the last good policies stay, the health says so, and readers
see how long ago they were known to be the current ones. Nothing of the database is opened before
workers are forked and left open.
"""

from __future__ import annotations

from .control import Control
from .following import RevisionFollower
from .revisions import RevisionStore

__all__ = ["Control", "RevisionFollower", "RevisionStore"]
