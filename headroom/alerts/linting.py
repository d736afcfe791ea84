"""What makes an alert a good one, and one that Cloud Monitoring takes: each rule of the house, once.

Limits: cloud.google.com/monitoring/alerts/using-promql ("Limitations") and
cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies, read 2026-11-21.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from headroom.alerts.contract import Contract
from headroom.alerts.durations import format_duration
from headroom.alerts.labels import result_labels
from headroom.alerts.promql import (
    Aggregate,
    Binary,
    Call,
    Node,
    PromqlError,
    Selector,
    branches,
    parse_promql,
    read_flag,
    selectors,
    walk,
)
from headroom.alerts.requirements import KNOWN, find_unanswered
from headroom.alerts.rules import RUNBOOKS, Rule
from headroom.spec.errors import Problem, did_you_mean

MOST_SECONDS = 86_400
"""Neither a window nor the time that must pass may be longer."""

MOST_SUM_SECONDS = 90_000
STEP_SECONDS = 30
MOST_SUBJECT = 255
MOST_CONTENT = 8_192
MOST_CONDITIONS = 6
MOST_GATE_SECONDS = 1_800
"""A phase of a canary is not to wait longer for a verdict."""

_SEVERITIES = ("critical", "error", "warning")
_LABELS = {"severity", "notify", "scope", "gate", "needs"}
_ANNOTATIONS = {"summary", "description", "runbook_url", "requirements"}
_FUNCTIONS = {"humanize", "humanizePercentage", "humanizeDuration"}
_TEMPLATE = re.compile(r"\{\{(.*?)\}\}")
_PARTS = re.compile(r"\s*\$(?:labels\.(?P<label>\w+)|value(?:\s*\|\s*(?P<function>\w+))?)\s*$")
_RATES = {"rate", "increase"}

Check = Callable[[Rule, Node, Contract], Iterator[tuple[str, str]]]


def check_rules(rules: Iterable[Rule], contract: Contract, root: Path | None = None) -> list[Problem]:
    """Return what is wrong with the rules; with the project's folder, with their runbooks too."""
    rules = tuple(rules)
    problems = [problem for rule in rules for problem in check_rule(rule, contract)]
    counts = Counter(rule.name for rule in rules)
    problems += [
        Problem(name, "is the name of more than one alert") for name, count in counts.items() if count > 1
    ]
    problems += [
        Problem("requirements", f"{requirement} has no alert; name it in the annotation of one")
        for requirement in find_unanswered(rules)
    ]
    return problems + (check_runbooks(rules, root) if root else [])


def check_rule(rule: Rule, contract: Contract) -> list[Problem]:
    """Return what is wrong with one rule, by itself."""
    where = f"{rule.file}: {rule.name}"
    try:
        tree = parse_promql(rule.expr)
        found = [finding for check in _CHECKS for finding in check(rule, tree, contract)]
    except PromqlError as error:
        found = [("expr", str(error))]
    return [Problem(f"{where}.{key}", message) for key, message in found]


def check_runbooks(rules: Iterable[Rule], root: Path) -> list[Problem]:
    """Return the alerts without a runbook, and the runbooks without an alert."""
    wanted = {rule.runbook: rule for rule in rules}
    there = {path.relative_to(root).as_posix() for path in (root / RUNBOOKS).glob("*.md")}
    return [
        Problem(f"{rule.file}: {rule.name}.annotations.runbook_url", "is a file that is not there; write it")
        for path, rule in wanted.items()
        if path not in there
    ] + [Problem(path, "is the runbook of no alert; remove it") for path in sorted(there - set(wanted))]


def runbook_path(alert: str) -> str:
    """Return where the runbook of an alert is: ServingOutage has serving-outage.md."""
    return f"{RUNBOOKS}/{kebab_case(alert)}.md"


def kebab_case(name: str) -> str:
    """Return ServingOutage as serving-outage."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def longest_window(tree: Node) -> int:
    """Return the longest window that the expression looks back, in seconds."""
    return max((selector.range_seconds for selector in selectors(tree)), default=0)


def possible_labels(tree: Node, contract: Contract) -> frozenset[str]:
    """Return the labels that some series of the result may have."""
    found: frozenset[str] = frozenset()
    for branch in branches(tree):
        found |= result_labels(branch, _labels_of(contract)) or frozenset()
    return found


def _labels_of(contract: Contract) -> Callable[[str], frozenset[str]]:
    def labels_of(series: str) -> frozenset[str]:
        labels = contract.labels_of(series)
        if labels is None:
            names = [metric.name for metric in contract.metrics]
            raise PromqlError(f"{series} is not in contract.yaml{did_you_mean(series, names)}")
        return labels

    return labels_of


def _check_selectors(_rule: Rule, tree: Node, contract: Contract) -> Iterator[tuple[str, str]]:
    for selector in selectors(tree):
        labels = _labels_of(contract)(selector.metric)
        metric = contract.find(selector.metric)
        for matcher in selector.matchers:
            if matcher.label == "monitored_resource":
                if metric and matcher.value != metric.monitored_resource:
                    yield "expr", f"{selector.metric} is of {metric.monitored_resource or 'no resource'}"
            elif matcher.label not in labels:
                yield "expr", f"{selector.metric} has no label {matcher.label} in contract.yaml"


def _check_grouping(rule: Rule, tree: Node, contract: Contract) -> Iterator[tuple[str, str]]:
    """Without environment in every grouping staging would page for production."""
    wanted = {"environment"} if rule.scope == "environment" else {"environment", "pipeline"}
    for node in walk(tree):
        if isinstance(node, Aggregate):
            below = result_labels(node.arguments[-1], _labels_of(contract)) or frozenset()
            if missing := (wanted & below) - set(node.by):
                yield "expr", f"{node.operator} by ({', '.join(node.by)}) loses {_and(missing)}"
        elif isinstance(node, Binary) and node.on is not None:
            both = possible_labels(node.left, contract) & possible_labels(node.right, contract)
            if missing := (wanted & both) - set(node.on):
                yield "expr", f"on ({', '.join(node.on)}) loses {_and(missing)}"
    labels = result_labels(tree, _labels_of(contract)) or frozenset()
    if rule.scope == "pipeline" and (missing := wanted - labels):
        yield "expr", f"its result has no {_and(missing)}; group by it, or set the label scope: environment"


def _check_windows(rule: Rule, tree: Node, _contract: Contract) -> Iterator[tuple[str, str]]:
    window = longest_window(tree)
    if window > MOST_SECONDS:
        yield "expr", f"looks back {format_duration(window)}; Cloud Monitoring looks back a day at most"
    if rule.for_seconds > MOST_SECONDS:
        yield "for", "is longer than a day, the most that Cloud Monitoring waits"
    if window + rule.for_seconds > MOST_SUM_SECONDS:
        yield "for", "is with the longest window more than 25 hours, the most that Cloud Monitoring takes"
    durations = [("for", rule.for_seconds), ("interval", rule.interval_seconds)]
    durations += [("expr", selector.range_seconds) for selector in selectors(tree)]
    for key, seconds in durations:
        if seconds % STEP_SECONDS:
            yield key, f"{format_duration(seconds)} is no multiple of 30s, as Cloud Monitoring wants"
    if rule.interval_seconds < STEP_SECONDS:
        yield "interval", "must be 30s or longer"


def _check_types(_rule: Rule, tree: Node, contract: Contract) -> Iterator[tuple[str, str]]:
    """What only rises says nothing by itself, and the rate of what goes up and down says nothing."""
    rated = {
        argument
        for node in walk(tree)
        if isinstance(node, Call) and node.function in _RATES
        for argument in node.arguments
    }
    for selector in selectors(tree):
        metric = contract.find(selector.metric)
        if metric is None:
            continue
        present = _is_presence(tree, selector)
        if metric.rises and selector not in rated and not present:
            yield "expr", f"{selector.metric} is a {metric.type}: take its rate or increase"
        if not metric.rises and selector in rated:
            yield "expr", f"{selector.metric} is a {metric.type}: it has no rate"
        if metric.type == "bool" and any(read_flag(branch) is None for branch in branches(tree)):
            yield "expr", "is true or false in the cloud: write max by (...) (max_over_time(...[10m])) > 0"
    if read_flag(branches(tree)[0]) and len(branches(tree)) > MOST_CONDITIONS:
        yield "expr", f"has more than {MOST_CONDITIONS} flags, the most conditions of an alert policy"


def _is_presence(tree: Node, selector: Selector) -> bool:
    """Whether a selector only asks if there are series, on the right side of unless."""
    return any(
        isinstance(node, Binary) and node.operator == "unless" and selector in walk(node.right)
        for node in walk(tree)
    )


def _check_names(rule: Rule, _tree: Node, _contract: Contract) -> Iterator[tuple[str, str]]:
    if not re.fullmatch(r"([A-Z][a-z0-9]+)+", rule.name):
        yield "alert", "must be of words that begin with a capital, such as ServingOutage"
    if not re.fullmatch(r"[a-z][a-z0-9-]*", rule.group):
        yield "group", "must be of lower-case letters and hyphens"


def _check_labels(rule: Rule, tree: Node, contract: Contract) -> Iterator[tuple[str, str]]:
    for key in sorted({key for key, _ in rule.labels} - _LABELS):
        yield f"labels.{key}", f"is none of {', '.join(sorted(_LABELS))}"
    if rule.severity not in _SEVERITIES:
        yield "labels.severity", f"must be one of {', '.join(_SEVERITIES)}"
    if rule.notify not in ("page", "ticket"):
        yield "labels.notify", "must be page or ticket"
    if rule.notify == "page" and rule.severity == "warning":
        yield "labels.notify", "must be ticket where severity is warning: nobody is woken for a warning"
    if rule.gates_canary:
        labels = result_labels(tree, _labels_of(contract)) or frozenset()
        if "track" not in labels:
            yield "expr", "gates a canary, so its result needs the label track"
        if judgement_seconds(rule, tree) > MOST_GATE_SECONDS:
            yield "for", "is with the window longer than half an hour, and a canary's phase would wait for it"


def judgement_seconds(rule: Rule, tree: Node) -> int:
    """Return how long after a fault the alert has certainly fired: window, duration and one evaluation."""
    return longest_window(tree) + rule.for_seconds + rule.interval_seconds


def _check_annotations(rule: Rule, tree: Node, contract: Contract) -> Iterator[tuple[str, str]]:
    keys = {key for key, _ in rule.annotations}
    for key in sorted(_ANNOTATIONS - keys):
        yield f"annotations.{key}", "is missing"
    for key in sorted(keys - _ANNOTATIONS):
        yield f"annotations.{key}", f"is none of {', '.join(sorted(_ANNOTATIONS))}"
    if rule.runbook != runbook_path(rule.name):
        yield "annotations.runbook_url", f"must be {runbook_path(rule.name)}"
    if not rule.requirements or not KNOWN.issuperset(rule.requirements):
        yield "annotations.requirements", "must be ids of requirements, such as M1 M2"
    labels = possible_labels(tree, contract)
    for key, text in rule.annotations:
        for template in _TEMPLATE.findall(text):
            if message := _judge_template(template, labels):
                yield f"annotations.{key}", message


def _check_lengths(rule: Rule, _tree: Node, _contract: Contract) -> Iterator[tuple[str, str]]:
    if len(rule.summary) > MOST_SUBJECT:
        yield "annotations.summary", f"is longer than {MOST_SUBJECT} characters"
    if len(rule.description) > MOST_CONTENT:
        yield "annotations.description", f"is longer than {MOST_CONTENT} characters"


def _judge_template(template: str, labels: frozenset[str]) -> str:
    """Return what is wrong with a template: beyond these forms the cloud shows it as it stands."""
    parts = _PARTS.match(template)
    if parts is None or (parts["function"] and parts["function"] not in _FUNCTIONS):
        known = ", ".join(sorted(_FUNCTIONS))
        return f"{{{{{template}}}}} is neither a label nor the value, as such or through one of {known}"
    if parts["label"] and parts["label"] not in labels:
        return f"names {parts['label']}, which the result of the expression has not"
    return ""


def _and(labels: Iterable[str]) -> str:
    return " and ".join(sorted(labels))


_CHECKS: tuple[Check, ...] = (
    _check_selectors,
    _check_grouping,
    _check_windows,
    _check_types,
    _check_names,
    _check_labels,
    _check_annotations,
    _check_lengths,
)
