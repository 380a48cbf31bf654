"""What a decision point says of itself, by tenant (section 9 of the specification).

Law: URLs are made of the base URL that was set, never of what a caller sends.
"""

from __future__ import annotations

from urllib.parse import quote

EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"
SEARCH_SUBJECT = "/access/v1/search/subject"
SEARCH_RESOURCE = "/access/v1/search/resource"
SEARCH_ACTION = "/access/v1/search/action"
WELL_KNOWN = "/.well-known/authzen-configuration"


def describe(base_url: str, company_id: str | None, knows_entities: bool) -> dict[str, str]:
    """The metadata of the decision point at `base_url`, for one company (None: without one)."""
    point = base_url if company_id is None else f"{base_url}/{quote(company_id, safe='')}"
    described = {
        "policy_decision_point": point,
        "access_evaluation_endpoint": point + EVALUATION,
        "access_evaluations_endpoint": point + EVALUATIONS,
        "search_action_endpoint": point + SEARCH_ACTION,
    }
    if knows_entities:
        described["search_subject_endpoint"] = point + SEARCH_SUBJECT
        described["search_resource_endpoint"] = point + SEARCH_RESOURCE
    return described
