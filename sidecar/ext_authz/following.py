"""The table of routes in a file, followed: read again when it changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..following import Followed, Follower
from .reading import load_table
from .table import Table

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger


class RoutesFollower(Follower[Table]):
    """Keeps `table` the newest good one of a file; `trusted` are headers that say who asks. Making
    one reads it: raises `StoreError`, `CompileError`."""

    table: Table

    def __init__(
        self,
        path: Path,
        trusted: Sequence[str],
        log: FilteringBoundLogger,
        on_state: Callable[[bool], Awaitable[None]],
    ) -> None:
        def load() -> Table:
            return load_table(path, tuple(trusted))

        followed = Followed("routes", _File(path), load, self._install, self._about)
        super().__init__(followed, log, on_state)

    def _install(self, table: Table) -> None:
        self.table = table

    def _about(self) -> dict[str, object]:
        return {"revision": self.table.revision}


class _File(NamedTuple):
    path: Path

    def fingerprint(self) -> str:
        try:
            state = self.path.stat()
        except OSError as error:
            return type(error).__name__
        return repr((state.st_ino, state.st_size, state.st_mtime_ns))
