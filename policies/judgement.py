"""What all rules together say of a stack, with levels and exemptions as the settings have them."""

from collections.abc import Iterable
from dataclasses import dataclass

from policies.model import Records, build_model
from policies.replacements import Step
from policies.resources import Resource
from policies.rules import Finding, Level, Rule
from policies.settings import Exemption, Settings


@dataclass(frozen=True, slots=True)
class Verdict:
    """A finding, the level at which its rule is enforced here, and what lets it pass, if anything does."""

    finding: Finding
    rule: Rule
    level: Level
    exemption: Exemption | None = None

    @property
    def refuses(self) -> bool:
        """Return whether the change may not be made."""
        return self.level == "mandatory" and self.exemption is None

    def __str__(self) -> str:
        text = f"[{self.rule.name}] {self.finding}"
        if self.exemption is None:
            return text
        by = self.exemption
        return f"{text} (exempted by {by.owner} until {by.expires}: {by.reason})"


class ResourceRules:
    """Rules that look at single resources, found by type: few look at any, and there are many resources."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rule for rule in rules if rule.of_resource)
        self._of_type: dict[str, tuple[Rule, ...]] = {}

    def of(self, kind: str) -> tuple[Rule, ...]:
        """Return the rules that look at resources of a type."""
        if kind not in self._of_type:
            self._of_type[kind] = tuple(rule for rule in self._rules if rule.looks_at(kind))
        return self._of_type[kind]


def judge(
    resources: Iterable[Resource], records: Records, settings: Settings, rules: Iterable[Rule]
) -> tuple[Verdict, ...]:
    """Return what every rule finds in a stack's resources, in the order of the rules."""
    resources, rules = tuple(resources), tuple(rules)
    looking = ResourceRules(rules)
    return (
        *(verdict for each in resources for verdict in judge_resource(each, settings, looking.of(each.type))),
        *judge_stack(resources, records, settings, rules),
    )


def judge_resource(resource: Resource, settings: Settings, rules: Iterable[Rule]) -> tuple[Verdict, ...]:
    """Return what the rules find that one resource shows."""
    return tuple(
        _decide(finding, rule, settings)
        for rule in rules
        if settings.level_of(rule) != "disabled"
        for finding in rule.check_resource(resource, settings)
    )


def judge_stack(
    resources: Iterable[Resource], records: Records, settings: Settings, rules: Iterable[Rule]
) -> tuple[Verdict, ...]:
    """Return what the rules find that shows only in all resources together; the model is built once."""
    model = build_model(resources, records, settings)
    return tuple(
        _decide(finding, rule, settings)
        for rule in rules
        if settings.level_of(rule) != "disabled"
        for finding in rule.check_stack(model, settings)
    )


def judge_steps(steps: Iterable[Step], settings: Settings, rules: Iterable[Rule]) -> tuple[Verdict, ...]:
    """Return what the rules find in the steps of a preview (`replacements.read_steps`)."""
    steps = tuple(steps)
    return tuple(
        _decide(finding, rule, settings)
        for rule in rules
        if settings.level_of(rule) != "disabled"
        for finding in rule.check_steps(steps, settings)
    )


def _decide(finding: Finding, rule: Rule, settings: Settings) -> Verdict:
    return Verdict(finding, rule, settings.level_of(rule), settings.exemption_of(finding))
