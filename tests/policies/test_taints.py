"""Which tolerations let work onto a node, as Kubernetes has it."""

from typing import Any

import pytest

from policies.resources import UNKNOWN
from policies.taints import Taint

TAINT = Taint("team", "ml", "NoSchedule")
SAME = {"key": "team", "operator": "Equal", "value": "ml", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("toleration", "is_tolerated"),
    [
        (SAME, True),
        ({"key": "team", "value": "ml"}, True),
        ({"key": "team", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        (SAME | {"value": "ads"}, False),
        (SAME | {"effect": "NoExecute"}, False),
        (SAME | {"key": "other"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"operator": "Exists", "effect": "NoExecute"}, False),
        (UNKNOWN, False),
    ],
)
def test_a_taint_is_tolerated_by_its_key_value_and_effect(toleration: Any, is_tolerated: bool) -> None:
    assert TAINT.is_tolerated([toleration]) == is_tolerated


def test_what_is_preferred_alone_keeps_nobody_off_and_all_else_does() -> None:
    assert Taint("team", "ml", "PreferNoSchedule").is_tolerated([])
    assert not TAINT.is_tolerated([])
    assert not TAINT.is_tolerated(UNKNOWN)
