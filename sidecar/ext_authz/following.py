"""The table of routes in a file, followed: read again when it changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..following import Follower
from .reading import load_table
from .table import Table

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger


class RoutesFollower(Follower[Table]):
    """Keeps `table` the newest good one of a file; `trusted` are headers that say who asks."""

    subject = "routes"

    def __init__(
        self,
        path: Path,
        trusted: Sequence[str],
        log: FilteringBoundLogger,
        on_state: Callable[[bool], Awaitable[None]],
    ) -> None:
        self._path = path
        self._trusted = tuple(trusted)
        super().__init__(log, on_state)

    def fingerprint(self) -> str:
        try:
            state = self._path.stat()
        except OSError as error:
            return type(error).__name__
        return repr((state.st_ino, state.st_size, state.st_mtime_ns))

    def load(self) -> Table:
        return load_table(self._path, self._trusted)

    def install(self, loaded: Table) -> None:
        self.table = loaded

    @property
    def revision(self) -> str:
        return self.table.revision
