"""Which requirement each alert answers, and which alerts answer a requirement."""

from collections.abc import Iterable

from headroom.alerts.rules import Rule

MONITORED = tuple(f"M{number}" for number in range(1, 17))
"""What must be detected: each has an alert."""

KNOWN = frozenset(
    [*MONITORED, "M17", *(f"Q{number}" for number in range(1, 9)), *(f"D{number}" for number in range(1, 9))]
)
"""The ids that exist, as in docs/requirements.md."""


def map_requirements(rules: Iterable[Rule]) -> dict[str, tuple[str, ...]]:
    """Return the names of the alerts that answer each requirement that must be detected, none included."""
    answers: dict[str, list[str]] = {requirement: [] for requirement in (*MONITORED, "Q3")}
    for rule in rules:
        for requirement in rule.requirements:
            answers.setdefault(requirement, []).append(rule.name)
    return {requirement: tuple(names) for requirement, names in answers.items()}


def find_unanswered(rules: Iterable[Rule]) -> tuple[str, ...]:
    """Return the requirements without an alert."""
    return tuple(requirement for requirement, names in map_requirements(rules).items() if not names)
