"""Everything that can be set, in one class: by flag (`--reload-interval 5`), by environment
(`TASKMAN_AUTHZ_RELOAD_INTERVAL=5`) or by file (`reload_interval: 5` in what `--config` names).
A flag outranks the environment, and that the file.

Begin with `model` (the class, of one part a subject); `reading` takes values from where they are
said and tells where one is wrong. A setting is added to its subject's part, and used in `wiring`.
"""

from __future__ import annotations

from .context import EventRule, read_event, read_life, read_source
from .model import Settings
from .reading import add_flags, config_schema, printed, read_settings

__all__ = [
    "EventRule",
    "Settings",
    "add_flags",
    "config_schema",
    "printed",
    "read_event",
    "read_life",
    "read_settings",
    "read_source",
]
