"""Two sets of policies, questions, and what each set answers to each."""

from __future__ import annotations

from collections.abc import Sequence

from taskman_authz import PDP
from taskman_authz.policy import compile_documents
from taskman_authz.request import make_request
from taskman_authz.v1 import authorization_pb2 as pb
from taskman_authz.wire import write_check

POLICIES = 300
ROLES = 10
QUESTIONS = 60
NONSENSE = "policies: [{id: broken, effect: maybe}]\n"

# Whether it is allowed, and each reason: its code, policy and message.
Answer = tuple[bool, tuple[tuple[str, str, str], ...]]


def document(edition: int) -> str:
    """The policies of one edition (0, 1): they differ in what they allow."""
    lines = ["policies:"]
    for number in range(POLICIES):
        lines.append(
            f"  - {{id: p{number}, effect: {'deny' if number % 7 == edition else 'allow'}, "
            f"roles: [r{number % ROLES}], actions: ['tasks:a{number % 3}'], "
            f"resources: ['tasks/*'], condition: \"resource.owner == subject.id && "
            f'resource.size > {(number * 37 + edition * 500) % 1_000}"}}'
        )
    return "\n".join(lines) + "\n"


class Expected:
    """The questions as messages, and the right answers by revision."""

    def __init__(self) -> None:
        questions = [_question(number) for number in range(QUESTIONS)]
        self.messages = [write_check(make_request(*each, None, None, 0)) for each in questions]
        self.answers: dict[str, list[Answer]] = {}
        for edition in (0, 1):
            policies = compile_documents([("policies.yaml", document(edition))])
            found = PDP(policies).batch_check(questions)
            self.answers[policies.revision] = [
                (each.allowed, tuple((r.code, r.policy, r.message) for r in each.reasons))
                for each in found
            ]
        assert len(self.answers) == 2

    def batch(self, numbers: Sequence[int], distinct: bool = False) -> bytes:
        """Several questions in one message; where answers are to be `distinct`, their subject is
        told once too."""
        items = [pb.CheckRequest.FromString(self.messages[number]) for number in numbers]
        batch = pb.BatchCheckRequest(items=items, distinct=distinct)
        if distinct:
            batch.defaults.subject = items[0].subject
            batch.defaults.subject_properties.CopyFrom(items[0].subject_properties)
            for item in batch.items:
                if item.subject_properties == batch.defaults.subject_properties:
                    item.ClearField("subject")
                    item.ClearField("subject_properties")
        return batch.SerializeToString()

    def is_right(self, number: int, answer: pb.CheckResponse) -> bool:
        """Whether an answer is that of the policies that it names."""
        right = self.answers.get(answer.revision)
        reasons = tuple((each.code, each.policy, each.message) for each in answer.details)
        return right is not None and right[number] == (answer.allowed, reasons)


def _question(number: int) -> tuple[dict[str, object], str, dict[str, object]]:
    roles = [f"r{number % ROLES}", f"r{(number * 3 + 1) % ROLES}"]
    owner = "u1" if number % 4 else "u2"
    subject: dict[str, object] = {"type": "user", "id": "u1", "roles": roles}
    resource: dict[str, object] = {
        "type": "tasks",
        "id": str(number),
        "owner": owner,
        "size": number * 16,
    }
    return subject, f"tasks:a{number % 3}", resource
