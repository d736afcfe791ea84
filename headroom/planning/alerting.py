"""Alert policies of Cloud Monitoring: one for each rule, whatever the number of pipelines.

Limits and forms: cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies and
cloud.google.com/monitoring/alerts/doc-variables, read 2026-11-21.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from headroom.alerts.contract import Contract, load_contract
from headroom.alerts.labels import result_labels
from headroom.alerts.linting import judgement_seconds, kebab_case
from headroom.alerts.promql import Flag, Node, branches, parse_promql, read_flag
from headroom.alerts.rules import Pairs, Rule

INGEST_DELAY_SECONDS = 180
"""What is allowed for samples that arrive late: three scrapes of a minute each."""

_RENOTIFY_SECONDS = {"page": 3_600, "ticket": 86_400}
_AUTO_CLOSE_SECONDS = {"page": 3_600, "ticket": 86_400}
_GATE_AUTO_CLOSE_SECONDS = 1_800
"""The shortest that Google takes. An incident of a canary that is gone stays open until then, and would fail
the next canary of its pipeline (cloud.google.com/monitoring/alerts/incidents-events, 2026-11)."""

_LABEL = re.compile(r"\{\{\s*\$labels\.(\w+)\s*\}\}")
_VALUE = re.compile(r"\{\{\s*\$value(?:\s*\|\s*(\w+))?\s*\}\}")
_UNITS = {"humanizeDuration": " seconds", "humanizePercentage": " (1 is all)"}


@dataclass(frozen=True, slots=True)
class PromqlCondition:
    """What must hold, in PromQL; `labels` are added to every result."""

    name: str
    query: str
    duration_seconds: int
    evaluation_seconds: int
    group: str
    alert: str
    labels: Pairs


@dataclass(frozen=True, slots=True)
class FlagCondition:
    """What must hold of a metric that is true or false, which Cloud Monitoring's PromQL cannot read.

    More than `threshold` samples were true within `alignment_seconds` (ALIGN_COUNT_TRUE, REDUCE_SUM).
    """

    name: str
    filter: str
    alignment_seconds: int
    group_by: tuple[str, ...]
    threshold: float
    duration_seconds: int


@dataclass(frozen=True, slots=True)
class AlertPolicyPlan:
    """An alert policy: any of its conditions opens an incident for each series of its result."""

    name: str
    display_name: str
    severity: str
    """CRITICAL, ERROR or WARNING."""
    notify: str
    """`page` or `ticket`: which channels are told."""
    conditions: tuple[PromqlCondition | FlagCondition, ...]
    subject: str
    content: str
    links: Pairs
    """Names and URLs; none where no base URL of the runbooks is known."""
    user_labels: Pairs
    auto_close_seconds: int
    renotify_seconds: int
    gates_canary: bool
    judgement_seconds: int
    """How long after a fault it has certainly fired: a canary's phase must last longer."""


def plan_alert_policies(
    rules: Iterable[Rule], environment: str, runbook_base: str = ""
) -> tuple[AlertPolicyPlan, ...]:
    """Return the policy of each rule, for the environment of that name.

    `runbook_base` is the URL below which the project's files can be read, such as a repository's. The rules
    must be sound: what `linting.check_rules` finds is not checked again.
    """
    return tuple(_plan_policy(rule, environment, runbook_base.rstrip("/")) for rule in rules)


def translate_template(text: str) -> str:
    """Return an annotation with Cloud Monitoring's variables in place of Prometheus's templates.

    As `gcloud monitoring policies migrate` does; the value is shown as it is, with the unit that the function
    would have shown.
    """
    labelled = _LABEL.sub(r"${metric_or_resource.label.\1}", text)
    return _VALUE.sub(lambda found: f"${{metric.label.value}}{_UNITS.get(found[1], '')}", labelled)


# A plan asks for the policies that gate a canary once for each delivered pipeline; they are the same.
@lru_cache(maxsize=512)
def _plan_policy(rule: Rule, environment: str, runbook_base: str) -> AlertPolicyPlan:
    contract = load_contract()
    tree = parse_promql(rule.expr)
    runbook = f"{runbook_base}/{rule.runbook}" if runbook_base else rule.runbook
    return AlertPolicyPlan(
        name=kebab_case(rule.name),
        display_name=f"{environment}: {rule.group}/{rule.name}",
        severity=rule.severity.upper(),
        notify=rule.notify,
        conditions=_plan_conditions(rule, tree, environment, contract),
        subject=translate_template(rule.summary),
        content=f"{translate_template(rule.description)}\n\nRunbook: {runbook}\n",
        links=(("runbook", runbook),) if runbook_base else (),
        user_labels=_user_labels(rule, environment),
        auto_close_seconds=_GATE_AUTO_CLOSE_SECONDS
        if rule.gates_canary
        else _AUTO_CLOSE_SECONDS[rule.notify],
        renotify_seconds=_RENOTIFY_SECONDS[rule.notify],
        gates_canary=rule.gates_canary,
        judgement_seconds=judgement_seconds(rule, tree) + INGEST_DELAY_SECONDS,
    )


def _plan_conditions(
    rule: Rule, tree: Node, environment: str, contract: Contract
) -> tuple[PromqlCondition | FlagCondition, ...]:
    flags = [read_flag(part) for part in branches(tree)]
    if all(flags):
        return tuple(_plan_flag(rule, flag, contract) for flag in flags if flag)
    labels = result_labels(tree, lambda series: contract.labels_of(series) or frozenset()) or frozenset()
    return (
        PromqlCondition(
            name=f"{rule.group}/{rule.name}",
            query=rule.expr_of(environment),
            duration_seconds=rule.for_seconds,
            evaluation_seconds=rule.interval_seconds,
            group=rule.group,
            alert=rule.name,
            labels=() if "environment" in labels else (("environment", environment),),
        ),
    )


def _plan_flag(rule: Rule, flag: Flag, contract: Contract) -> FlagCondition:
    metric = contract.find(flag.selector.metric)
    if metric is None:
        raise ValueError(f"{flag.selector.metric} is not in contract.yaml")
    return FlagCondition(
        name=metric.name,
        filter=f'metric.type="{metric.name}" AND resource.type="{metric.monitored_resource}"',
        alignment_seconds=flag.selector.range_seconds,
        group_by=tuple(
            f"{'resource' if label in metric.resource_labels else 'metric'}.label.{label}"
            for label in flag.by
        ),
        threshold=0,
        duration_seconds=rule.for_seconds,
    )


def _user_labels(rule: Rule, environment: str) -> Pairs:
    return (
        ("alert", kebab_case(rule.name)),
        ("environment", environment),
        ("managed-by", "headroom"),
        ("notify", rule.notify),
        ("requirements", "-".join(rule.requirements).lower()),
        ("severity", rule.severity),
    )
