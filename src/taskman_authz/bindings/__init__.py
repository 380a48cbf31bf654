"""Who holds which role in which company, until when: a projection of what somebody else owns.

Begin with `projection`. Whoever follows events and takes snapshots feeds it; a decision asks it for
the roles of one subject at one time.

Laws: what is known of a subject in a company is replaced as a whole, by what has a higher version,
and by nothing else: so events may come twice, late and in any order. A role that has expired is not
held. A subject of whom nothing is known holds no role.
"""

from __future__ import annotations

from .projection import Bindings, Held, HeldRole, SubjectRoles

__all__ = ["Bindings", "Held", "HeldRole", "SubjectRoles"]
