"""When the alerts that judge a canary fire: the very policies of the plan, asked through promtool.

promtool has no command that evaluates rules on given series. It tests them, and prints what a query gives
where that is not what the test expects; the tests made here expect that nothing ever fires.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from headroom.alerts.durations import format_duration
from headroom.alerts.rules import Rule, render_rules
from headroom.delivery.traffic import LEAD_SECONDS, SAMPLE_SECONDS, Traffic, describe_samples
from headroom.planning.alerting import INGEST_DELAY_SECONDS, AlertPolicyPlan, PromqlCondition
from headroom.planning.rollouts import CANARY, RolloutPlan

EVALUATION_SECONDS = 30

RULE_FILE = "gates.rules.yaml"

_GOT = re.compile(r"^\s*got:\s*(.*)$", re.MULTILINE)
_SAMPLE = re.compile(r"\{([^}]*)\}\s+([0-9.]+(?:E[+-]?\d+)?)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


class JudgementError(Exception):
    """promtool said something else than when alerts fire."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A phase of a rollout in time, in seconds since the rollout began."""

    phase: str
    percent: int
    begin: int
    """From when on the canary gets the phase's share."""
    start: int
    """From when on it is watched."""
    end: int
    hold: bool


@dataclass(frozen=True, slots=True)
class Firing:
    """An alert, and when the watch sees it: later than it fires, as samples take time to arrive."""

    alert: str
    seconds: int


def render_gates(policies: Iterable[AlertPolicyPlan], rollout: RolloutPlan) -> str:
    """Return a Prometheus rule file with the query, duration and interval of each policy that judges."""
    by_name = {policy.name: policy for policy in policies}
    conditions = [condition for gate in rollout.gates for condition in by_name[gate.policy].conditions]
    return render_rules(
        Rule(
            name=condition.alert,
            group=condition.group,
            file="",
            expr=condition.query,
            for_seconds=condition.duration_seconds,
            interval_seconds=condition.evaluation_seconds,
            labels=(),
            annotations=(),
        )
        for condition in conditions
        if isinstance(condition, PromqlCondition)
    )


def build_test(rollout: RolloutPlan, watches: Iterable[Watch], traffic: Iterable[Traffic]) -> dict[str, Any]:
    """Return a test file for promtool that fails by saying which alerts fire in which phase, since when."""
    return {
        "rule_files": [RULE_FILE],
        "evaluation_interval": format_duration(EVALUATION_SECONDS),
        "tests": [
            {
                "interval": format_duration(SAMPLE_SECONDS),
                "input_series": describe_samples(traffic),
                "promql_expr_test": [_ask(rollout, watch) for watch in watches],
            }
        ],
    }


def read_firings(report: str, watches: Iterable[Watch]) -> dict[str, tuple[Firing, ...]]:
    """Return by phase the alerts that its watch sees, the first first, from what promtool says of the test.

    Raises JudgementError for a report of anything else, such as a query that cannot be read.
    """
    starts = {watch.phase: watch.start for watch in watches}
    samples = [sample for got in _GOT.findall(report) for sample in _SAMPLE.findall(got)]
    if report and not samples:
        raise JudgementError(f"promtool did not judge: {report}")
    found: dict[str, list[Firing]] = {}
    for text, value in samples:
        labels: Mapping[str, str] = dict(_LABEL.findall(text))
        seen = round(float(value)) - LEAD_SECONDS + INGEST_DELAY_SECONDS
        phase = labels["phase"]
        found.setdefault(phase, []).append(Firing(labels["alertname"], max(seen, starts[phase])))
    return {
        phase: tuple(sorted(firings, key=lambda firing: (firing.seconds, firing.alert)))
        for phase, firings in found.items()
    }


def _ask(rollout: RolloutPlan, watch: Watch) -> dict[str, Any]:
    """When an alert first fires of what the watch of a phase sees, which filters as Cloud Deploy's does."""
    labels = {"environment": rollout.production.environment, "pipeline": rollout.pipeline, "track": CANARY}
    inside = ", ".join(f'{label}="{value}"' for label, value in {"alertstate": "firing", **labels}.items())
    window = format_duration(watch.end - watch.start + EVALUATION_SECONDS)
    first = f"min_over_time(timestamp(ALERTS{{{inside}}})[{window}:{EVALUATION_SECONDS}s])"
    return {
        "expr": f'label_replace({first}, "phase", "{watch.phase}", "", "")',
        "eval_time": format_duration(LEAD_SECONDS + watch.end - INGEST_DELAY_SECONDS),
        "exp_samples": [],
    }
