"""The entities of a folder, followed: read again when they change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskman_authz.attributes import Entities, EntityFiles, complete
from taskman_authz.request import CheckRequest

from .following import Followed, Follower

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger


class EntityFollower(Follower[Entities]):
    """Keeps `entities` on the newest good ones of `files`. Making one reads them: raises
    `StoreError`, `CompileError`."""

    entities: Entities

    def __init__(self, files: EntityFiles, log: FilteringBoundLogger) -> None:
        followed = Followed("entities", files, files.load, self._install, self._about)
        super().__init__(followed, log)

    def complete(self, request: CheckRequest) -> CheckRequest:
        """The request with the stored attributes that it does not give. Raises `RequestError`."""
        return complete(request, self.entities)

    def _install(self, entities: Entities) -> None:
        self.entities = entities

    def _about(self) -> dict[str, object]:
        return {"entities": len(self.entities)}
