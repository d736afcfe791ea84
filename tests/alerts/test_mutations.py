"""The scenarios hold the rules: a rule with another threshold, window or grouping fails them."""

from pathlib import Path

import pytest

from headroom.alerts.rules import Rule, load_rules, render_rules
from headroom.alerts.scenarios import build_tests, load_scenarios
from headroom.cli.promtool import run_tests
from tests.alerts.mutations import Mutant, derive_mutants

SCENARIOS = {scenario.alert: scenario for scenario in load_scenarios()}


def test_thresholds_windows_durations_and_groupings_are_all_changed(rules: dict[str, Rule]) -> None:
    changes = [mutant.change for mutant in derive_mutants(rules["ServingDataIssues"])]
    assert {
        "[30m] is [2h]",
        "[30m] is [7m30s]",
        "not by environment",
        "not by pipeline",
        "not by track",
        'ml_data_invalid_ratio_bound{stage="serving"} times 1.50',
        'without stage="serving"',
        "for no time",
    } <= set(changes)
    changes = [mutant.change for mutant in derive_mutants(rules["PipelineQuotaNearCap"])]
    assert {"0.9 times 1.50", "0.9 times 0.67"} <= set(changes)


@pytest.mark.monitoring
@pytest.mark.parametrize("name", [rule.name for rule in load_rules()])
def test_a_rule_made_worse_fails_its_scenarios(name: str, rules: dict[str, Rule], promtool: Path) -> None:
    """M1, M2, M3, M4, M5, M6, M7, M8, M9, M10, M11, M12, M13, M14, M15, M16, Q3."""
    mutants = {f"{number}.yaml": mutant for number, mutant in enumerate(derive_mutants(rules[name]))}
    # Most are found by the first cases; all cases are only for those that are not.
    suspects = find_survivors(promtool, mutants, rules[name], cases=2)
    survivors = find_survivors(promtool, suspects, rules[name], cases=None) if suspects else {}
    assert [mutant.change for mutant in survivors.values()] == []


def find_survivors(
    promtool: Path, mutants: dict[str, Mutant], rule: Rule, cases: int | None
) -> dict[str, Mutant]:
    """The mutants that the scenario's first cases, or all of them, do not tell from the rule."""
    rule_files = {f"rules-{file}": render_rules([mutant.rule]) for file, mutant in mutants.items()}
    test_files = {
        file: build_tests(SCENARIOS[rule.name], rule, f"rules-{file}", derived=False) for file in mutants
    }
    for test_file in test_files.values():
        test_file["tests"] = test_file["tests"][:cases]
    failures = run_tests(promtool, rule_files, test_files)
    return {file: mutants[file] for file, failure in failures.items() if not failure}
