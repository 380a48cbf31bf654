"""taskman-authz itself: through its public doors only, plain dicts in, Python values out."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from typing import Any

import taskman_authz
from taskman_authz import PDP, cel
from taskman_authz._fast import nodes
from taskman_authz.policy import compile_documents

from ..cases import APPLICABLE, Case, Compilation, Conditions, Decision, Evaluation, Rule
from . import Timed

TITLE = "taskman-authz"
KINDS = (Evaluation, Compilation, Conditions, Decision)
VARIANTS = {"": "", "conditions": ": its four conditions alone"}
