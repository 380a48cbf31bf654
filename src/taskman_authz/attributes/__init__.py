"""What is known of subjects and resources beyond what a request says: entities from files, and
attributes that others are asked for.

Begin with `entities` (a set of them, and what of it a company sees) and `completing` (a request
that gives only ids, completed). `files` finds and reads a folder; `document` is what a YAML or JSON
file may say, `table` reads CSV. `sources` asks those who own the data for what a decision needs;
`guarded` leaves those alone who are sick, `cached` remembers what they say.

Laws: a set is read whole or not at all, and is immutable. What belongs to a company is not there
for a request of another one, nor for one without a company. What a request says counts, what is
stored only stands in for what it does not say.
"""

from __future__ import annotations

from .cached import CachedSource
from .completing import complete
from .entities import Entities, Kind, StoredEntity
from .files import EntityFiles
from .guarded import GuardedSource, Outcome
from .sources import EVERYTHING, Gathered, Gatherer, Source, Wanted

__all__ = [
    "EVERYTHING",
    "CachedSource",
    "Entities",
    "EntityFiles",
    "Gathered",
    "Gatherer",
    "GuardedSource",
    "Kind",
    "Outcome",
    "Source",
    "StoredEntity",
    "Wanted",
    "complete",
]
