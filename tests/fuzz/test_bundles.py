"""Any bytes are a policy set or a StoreError; and whatever set they are, it answers, and closes
where a condition means nothing. What is thrown are bundles with changes: of the file, which its
hash finds, and of the content below a hash that is its own."""

from __future__ import annotations

import hashlib
from random import Random
from typing import Any

import msgspec
import pytest

from taskman_authz.errors import StoreError
from taskman_authz.limits import DEFAULT
from taskman_authz.pdp import PDP
from taskman_authz.policy import bundle, compile_documents
from taskman_authz.policy.bundle import HEAD, MAGIC
from taskman_authz.policy.files import read_documents
from tests.fuzz.test_doors import EXAMPLES, SEED

LIMITS = msgspec.structs.replace(DEFAULT, decision_steps=10_000)
CONDITIONS = """
policies:
  - {id: a, effect: allow, roles: ["*"], actions: ["*"], resources: ["*"],
     condition: "resource.tags.exists(t, t in ['x', 'y']) && subject.id == 'u'"}
  - {id: b, effect: deny, roles: ["*"], actions: ["*"], resources: ["*"],
     condition: "cel.bind(n, resource.?n.orValue(0), n > 3 && {'a': [n]}.a.map(m, m + 1) == [4])"}
  - {id: c, effect: allow, roles: ["*"], actions: ["*"], resources: ["*"],
     condition: "context.?x.optMap(x, x + 1u).orValue(1u) == 1u || b'a' == b'b' || now > now"}
"""
CORPUS = [
    bundle.write(compile_documents([("c.yaml", CONDITIONS)])),
    bundle.write(compile_documents(read_documents("policies/patterns"))),
    bundle.write(compile_documents(read_documents("policies/taskman/tasks.yaml"))),
]
TAGS = ["x", "z"]
QUESTIONS: list[tuple[Any, ...]] = [
    ("user:u", "tasks:edit", {"type": "tasks", "id": "1", "n": 4, "tags": TAGS, "owner": "u"}),
    ({"type": "user", "id": "7", "roles": ["developer"]}, "tasks:view", "tasks/1", {"x": 1}),
]


def mutated(random: Random, data: bytes) -> bytes:
    """The bytes with a few changed, left out, doubled or put in another place."""
    made = bytearray(data)
    for _ in range(random.randint(1, 4)):
        place, length = random.randrange(len(made) + 1), random.choice((1, 1, 2, 8, 64))
        change = random.randrange(5)
        if change == 0 and place < len(made):
            made[place] = random.choice((random.randrange(256), made[place] ^ 1, 0xC0, 0x90, 0xFF))
        elif change == 1:
            del made[place : place + length]
        elif change == 2:
            made[place:place] = random.randbytes(length)
        elif change == 3:
            made[place:place] = made[place : place + length]
        else:
            start = random.randrange(len(made) + 1)
            made[place : place + length] = made[start : start + length]
    return bytes(made)


def taken(data: bytes) -> bool:
    """Whether the bytes are a policy set. One that is answers whatever it is asked."""
    try:
        policies = bundle.read(data, LIMITS)
    except StoreError as error:
        assert "<bundle>" in str(error)
        return False
    pdp = PDP(policies)
    for question in QUESTIONS:
        assert type(pdp.check(*question).allowed) is bool
    return True


@pytest.mark.parametrize("number", range(len(CORPUS)))
def test_bytes_are_policies_or_refused_in_our_words(number: int) -> None:
    random, good = Random(f"{SEED}-{number}"), CORPUS[number]
    assert taken(good)
    read = 0
    for _ in range(EXAMPLES * 5):
        changed = mutated(random, good)
        content = mutated(random, good[HEAD:])
        for data in (changed, MAGIC + hashlib.sha256(content).digest() + b"\0" + content):
            try:
                read += taken(data)
            except Exception as error:
                raise AssertionError(f"seed {SEED}: {data!r}") from error
    assert read, "no change left policies, so none was asked"
