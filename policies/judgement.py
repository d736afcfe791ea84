"""What all rules together say of a stack, with levels and exemptions as the settings have them."""

from collections.abc import Iterable
from dataclasses import dataclass

from policies.model import Records, build_model
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


def judge(
    resources: Iterable[Resource], records: Records, settings: Settings, rules: Iterable[Rule]
) -> tuple[Verdict, ...]:
    """Return what every rule finds in a stack's resources, in the order of the rules."""
    resources, rules = tuple(resources), tuple(rules)
    return (
        *(verdict for each in resources for verdict in judge_resource(each, settings, rules)),
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


def _decide(finding: Finding, rule: Rule, settings: Settings) -> Verdict:
    return Verdict(finding, rule, settings.level_of(rule), settings.exemption_of(finding))
