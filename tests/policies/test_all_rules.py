"""What one rule finds is found beside all others too: none of them stumbles over it, or hides it."""

import pytest

from tests.policies.scenes import Change, open_scene
from tests.policies.test_quota_rules import FAILING, NOT_KNOWN

CHANGES = [(rule, change, said) for rule, _, change, said in FAILING] + NOT_KNOWN


@pytest.mark.parametrize(
    ("rule", "change", "said"),
    [pytest.param(*case, id=f"{case[0]}-{number}") for number, case in enumerate(CHANGES)],
)
def test_every_rule_is_judged_whatever_another_finds(rule: str, change: Change, said: str) -> None:
    """Q2, Q3, Q5, Q7."""
    scene = open_scene("dev")
    change(scene)
    found = [str(verdict.finding) for verdict in scene.verdicts() if verdict.rule.name == rule]
    assert any(said in finding for finding in found), found
