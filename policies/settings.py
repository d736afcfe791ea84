"""What a team may set of the rules: levels, thresholds, exemptions.

Settings that are wrong refuse every change rather than let it pass.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, ValidationError

from headroom.planning.logging import DEVELOPMENT_DAYS, PRODUCTION_DAYS
from headroom.planning.tenancy import EXPERIMENT_OBJECTS
from headroom.spec.base import Flag, PoolName, PositiveCount, Section
from headroom.spec.baselines import Day
from headroom.spec.delivery import Percent
from headroom.spec.errors import Problem, StackFileError, did_you_mean, suggest
from headroom.spec.explain import explain
from headroom.spec.pipelines import Owner
from headroom.spec.quota import Share, SystemPods
from headroom.spec.yaml_reader import YamlError, read_yaml
from policies.rules import Finding, Level, Rule

SETTINGS_FILE = "policies/settings.yaml"

Reason = Annotated[str, StringConstraints(min_length=10, max_length=300)]
StackName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.*-]+$", max_length=100)]
RuleName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=64)]


class HeadroomLimits(Section):
    """The least that experiments keep, whatever a stack file says."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"share": 0.2}]})

    share: Share = Field(default=0.2, description="the least share of every pool, from 0 to 0.9")
    pools: dict[PoolName, Share] = Field(
        default_factory=dict, description="the least share of a pool of its own, by its name"
    )
    lend: Flag = Field(
        default=False, description="whether idle headroom may be lent and taken back by eviction"
    )


class ChangeLimits(Section):
    """How much one change may take of what was promised before, without an exemption."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"share": 0.1}]})

    share: Share = Field(
        default=0.1, description="of the headroom of a pool, or of a pipeline's guarantee, from 0 to 0.9"
    )


class ObjectLimits(Section):
    """The most objects that a namespace may have at a time: a flood delays everybody's admission."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"jobs": 300, "pods": 1000}]})

    jobs: PositiveCount = Field(default=EXPERIMENT_OBJECTS[0], description="jobs")
    pods: PositiveCount = Field(default=EXPERIMENT_OBJECTS[1], description="pods, and Kueue's workloads")


class LogLimits(Section):
    """How long logs of pipelines are kept at least, in days."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"days": 30, "production_days": 90}]})

    days: PositiveCount = Field(default=DEVELOPMENT_DAYS, description="days")
    production_days: PositiveCount = Field(default=PRODUCTION_DAYS, description="days, in production")


class CanaryLimits(Section):
    """How many of the users a new model may get before anything is known of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"first_percent": 10}]})

    first_percent: Percent = Field(
        default=25, description="per cent of the requests in the first phase at most, from 1 to 99"
    )


class Lowered(Section):
    """A rule at a lower level than its own, and who answers for that."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "level": "advisory",
                    "owner": "group:ml-platform@acme.example",
                    "reason": "the reservation is counted from March on",
                }
            ]
        }
    )

    level: Literal["advisory", "disabled"] = Field(description="advisory: it is said; disabled: it is not")
    owner: Owner = Field(description="who answers for it: group:ADDRESS or user:ADDRESS")
    reason: Reason = Field(description="why, in a sentence")


class Exemption(Section):
    """What one rule lets pass for a time."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "rule": "promise-kept",
                    "resource": "dev-queue-feed-training",
                    "owner": "group:feed-ml@acme.example",
                    "reason": "the feed model moves to v6e in March",
                    "expires": "2027-03-31",
                }
            ]
        }
    )

    rule: RuleName = Field(description="the rule's name")
    resource: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="the resource's name in the program; * stands for any characters"
    )
    owner: Owner = Field(description="who answers for it: group:ADDRESS or user:ADDRESS")
    reason: Reason = Field(description="why, in a sentence")
    expires: Day = Field(description="the last day on which it holds, such as 2027-03-31")

    def covers(self, finding: Finding) -> bool:
        """Return whether the finding is let pass."""
        return self.rule == finding.rule and fnmatchcase(finding.resource, self.resource)


class Settings(Section):
    """Settings of the policy pack."""

    may_override: tuple[Owner, ...] = Field(
        default=(),
        max_length=64,
        description="who may lower a rule or exempt from it; by default whoever gives a name",
    )
    production: tuple[StackName, ...] = Field(
        default=("prod", "production", "prod-*", "*-prod"),
        max_length=64,
        description="stacks that are production whatever their files say; * stands for any characters",
    )
    headroom: HeadroomLimits = Field(default=HeadroomLimits(), description="what stays free for experiments")
    change: ChangeLimits = Field(default=ChangeLimits(), description="what one change may take")
    objects: ObjectLimits = Field(default=ObjectLimits(), description="objects of a pipeline's namespace")
    logs: LogLimits = Field(default=LogLimits(), description="how long logs are kept")
    canary: CanaryLimits = Field(default=CanaryLimits(), description="the first phase of a delivery")
    system_pods: SystemPods = Field(
        default=SystemPods(), description="what GKE's own pods take of every node, as in headroom:quota"
    )
    levels: dict[RuleName, Literal["mandatory"] | Lowered] = Field(
        default_factory=dict, description="levels other than the rules' own"
    )
    exemptions: tuple[Exemption, ...] = Field(
        default=(), max_length=1_000, description="what is let pass for a time"
    )

    def is_production(self, stack: str) -> bool:
        """Return whether a stack is production by its name."""
        return any(fnmatchcase(stack, pattern) for pattern in self.production)

    def level_of(self, rule: Rule) -> Level:
        """Return the level at which a rule is enforced."""
        chosen = self.levels.get(rule.name, rule.level)
        return chosen if isinstance(chosen, str) else chosen.level

    def exemption_of(self, finding: Finding) -> Exemption | None:
        """Return what lets the finding pass, if anything does."""
        return next((each for each in self.exemptions if each.covers(finding)), None)


def parse_settings(content: bytes, rules: Iterable[Rule], today: date, file: str = SETTINGS_FILE) -> Settings:
    """Return the settings in a file's content; an empty file means the defaults.

    Raises StackFileError with every problem: no YAML, unknown keys, rules that there are none of, exemptions
    that nobody answers for or that have expired.
    """
    try:
        data = read_yaml(content)
    except YamlError as error:
        raise StackFileError([Problem("", str(error))], file) from None
    data = {} if data is None else data
    if not isinstance(data, Mapping):
        raise StackFileError([Problem("", "must be a mapping of keys to values")], file)
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        problems = explain(error, data, Settings.model_json_schema(by_alias=True))
        raise StackFileError(problems, file) from None
    if problems := [*_check_rules(settings, list(rules)), *_check_exemptions(settings, today)]:
        raise StackFileError(problems, file)
    return settings


def load_settings(path: Path, rules: Iterable[Rule], today: date) -> Settings:
    """Return the settings in the file. Raises StackFileError, also where there is no file."""
    file = f"{path.parent.name}/{path.name}"
    try:
        content = path.read_bytes()
    except OSError as error:
        problem = Problem("", f"cannot be read: {error.strerror}; an empty file means the defaults")
        raise StackFileError([problem], file) from None
    return parse_settings(content, rules, today, file)


def settings_schema() -> dict[str, Any]:
    """Return the JSON Schema of the settings, for editors and checks."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Settings.model_json_schema()}


def _check_rules(settings: Settings, rules: list[Rule]) -> list[Problem]:
    known = {rule.name for rule in rules}
    named = [(f"levels.{name}", name) for name in settings.levels]
    named += [(f"exemptions[{number}].rule", each.rule) for number, each in enumerate(settings.exemptions)]
    problems = [
        Problem(path, "names no rule" + (did_you_mean(name, known) or suggest(name, known)))
        for path, name in named
        if name not in known
    ]
    return problems + [
        Problem(f"levels.{rule.name}", f"is {rule.level} anyway; remove it")
        for rule in rules
        if rule.name in settings.levels and settings.level_of(rule) == rule.level
    ]


def _check_exemptions(settings: Settings, today: date) -> list[Problem]:
    owners: list[tuple[str, Lowered | Exemption]] = [
        (f"levels.{name}", each) for name, each in settings.levels.items() if isinstance(each, Lowered)
    ]
    owners += [(f"exemptions[{number}]", each) for number, each in enumerate(settings.exemptions)]
    problems = [
        Problem(f"{path}.owner", "may not override; may_override says who may")
        for path, each in owners
        if settings.may_override and each.owner not in settings.may_override
    ]
    return problems + [
        Problem(
            f"exemptions[{number}].expires",
            f"was {each.expires}, so the exemption from {each.rule} has expired; mend what it was for and "
            "remove it, or have its owner renew it",
        )
        for number, each in enumerate(settings.exemptions)
        if each.expires < today
    ]


if __name__ == "__main__":
    print(json.dumps(settings_schema(), indent=2, sort_keys=True))  # noqa: T201 - what it is run for
