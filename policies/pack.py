"""The rules as Pulumi's policies: few, as Pulumi reads all resources anew for each of them.

Pulumi shows a policy of resources what the program asks for, before anything is created, and a policy of
stacks what came of it, in which a preview knows less. So the former keeps what it was shown, and the rules of
stacks go by that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from headroom.spec.errors import StackFileError
from policies.judgement import ResourceRules, Verdict, judge_resource, judge_stack
from policies.records import ROOT, load_records
from policies.registry import RULES
from policies.resources import UNKNOWN, Options, Resource
from policies.rules import Rule
from policies.settings import SETTINGS_FILE, Settings, load_settings

NAME = "headroom"
_ROOT_RESOURCE = "pulumi:pulumi:Stack"


def serve() -> None:
    """Run the pack until the engine ends it."""
    PolicyPack(NAME, make_policies(ROOT, RULES))


def make_policies(root: Path, rules: Sequence[Rule]) -> list[Policy]:
    """Return the pack's policies, by the settings in the project whose folder is `root`.

    Where the settings are wrong, they are policies that refuse everything and say why.
    """
    try:
        settings = load_settings(root / SETTINGS_FILE, rules, datetime.now(UTC).date())
    except StackFileError as error:
        return _refusing(str(error))
    return Judge(root, settings, tuple(rules)).policies()


@dataclass(slots=True)
class Judge:
    """Judges one stack; what it was shown of it is kept from the first resource to the last."""

    root: Path
    settings: Settings
    rules: tuple[Rule, ...]
    _asked: dict[str, Resource] = field(default_factory=dict)
    _shown: dict[str, tuple[Verdict, ...]] = field(default_factory=dict)
    """What does not refuse of what each resource showed, for the policy that gives advice."""
    _advice: list[Verdict] | None = None
    _of_resources: ResourceRules = field(init=False)

    def __post_init__(self) -> None:
        self._of_resources = ResourceRules(self.rules)

    def policies(self) -> list[Policy]:
        """Return the policies, in the order in which Pulumi asks them."""
        return [
            ResourceValidationPolicy(
                "resources",
                "What one resource shows, before it is created.",
                self._judge_resource,
                EnforcementLevel.MANDATORY,
            ),
            StackValidationPolicy(
                "stack",
                "What all resources show together.",
                self._judge_stack,
                EnforcementLevel.MANDATORY,
            ),
            StackValidationPolicy(
                "advice",
                "What is allowed, and worth a second look.",
                self._advise,
                EnforcementLevel.ADVISORY,
            ),
        ]

    def _judge_resource(self, args: ResourceValidationArgs, report: ReportViolation) -> None:
        resource = read_resource(args)
        self._asked[resource.urn] = resource
        for verdict in self._judge_shown(resource):
            if verdict.refuses:
                report(str(verdict), None)

    def _judge_shown(self, resource: Resource) -> tuple[Verdict, ...]:
        verdicts = judge_resource(resource, self.settings, self._of_resources.of(resource.type))
        self._shown[resource.urn] = tuple(verdict for verdict in verdicts if not verdict.refuses)
        return verdicts

    def _judge_stack(self, args: StackValidationArgs, report: ReportViolation) -> None:
        verdicts, broken = self._judge(args)
        if broken:
            report(broken, None)
        for verdict in verdicts:
            if verdict.refuses:
                report(str(verdict), verdict.finding.urn or None)
        self._advice = [verdict for verdict in verdicts if not verdict.refuses]

    def _advise(self, args: StackValidationArgs, report: ReportViolation) -> None:
        """Say what the other policy of stacks has left, which has just seen the same resources."""
        advice = self._judge(args)[0] if self._advice is None else self._advice
        self._advice = None
        for verdict in advice:
            if not verdict.refuses:
                report(str(verdict), verdict.finding.urn or None)

    def _judge(self, args: StackValidationArgs) -> tuple[list[Verdict], str]:
        """Return what stacks show and what resources show, and what is broken.

        What refuses a resource that was shown is left out, as it was reported then.
        """
        resources = [
            _join_sources(self._asked.get(each.urn) or read_resource(each), each) for each in args.resources
        ]
        try:
            records = load_records(resources, self.root)
        except StackFileError as error:
            return [], str(error)
        of_resources: list[Verdict] = []
        for each in resources:
            shown = self._shown.get(each.urn)
            of_resources += self._judge_shown(each) if shown is None else shown
        return [*of_resources, *judge_stack(resources, records, self.settings, self.rules)], ""


def read_resource(given: ResourceValidationArgs | PolicyResource) -> Resource:
    """Return a resource as rules see it, UNKNOWN in the place of whatever Pulumi would raise an error for."""
    options = given.opts
    return Resource(
        given.resource_type,
        given.name,
        given.urn,
        _plain(given.props),
        Options(
            protect=bool(options.protect),
            parent=options.parent or "",
            ignored=tuple(options.ignore_changes),
            provider=given.provider.name if given.provider else "",
        ),
    )


def _join_sources(resource: Resource, given: PolicyResource) -> Resource:
    """Return the resource with where its properties come from, which only policies of stacks are told."""
    if not given.property_dependencies:
        return resource
    sources = {
        key: frozenset(each.urn for each in found)
        for key, found in given.property_dependencies.items()
        if found
    }
    return replace(resource, options=replace(resource.options, sources=sources))


def _plain(value: Any) -> Any:
    if isinstance(value, str | float | None):
        return value
    if isinstance(value, Mapping):
        try:
            return {key: _plain(child) for key, child in value.items()}
        except UnknownValueError:
            return {key: _item(value, key) for key in value}
    if isinstance(value, Sequence):
        return [_item(value, number) for number in range(len(value))]
    return value


def _item(value: Any, key: Any) -> Any:
    try:
        return _plain(value[key])
    except UnknownValueError:
        return UNKNOWN


def _refusing(reason: str) -> list[Policy]:
    def refuse_first(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if args.resource_type == _ROOT_RESOURCE:
            report(reason, None)

    def refuse(args: StackValidationArgs, report: ReportViolation) -> None:
        del args
        report(reason, None)

    text, level = "The settings of the policy pack can be used.", EnforcementLevel.MANDATORY
    return [
        ResourceValidationPolicy("settings", text, refuse_first, level),
        StackValidationPolicy("settings-of-stack", text, refuse, level),
    ]
