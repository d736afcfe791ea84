"""The alerts, read from the Prometheus rule files in rules/."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from headroom.alerts.durations import format_duration, parse_duration
from headroom.spec.errors import Problem, StackFileError

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

RULES_FOLDER = Path(__file__).parent / "rules"
RUNBOOKS = "docs/runbooks/alerts"
"""Where the runbooks are, from the project's folder."""

_GROUP_KEYS = {"name", "interval", "rules"}
_RULE_KEYS = {"alert", "expr", "for", "labels", "annotations"}

ANY_ENVIRONMENT = 'environment=~".+"'
"""What stands in a rule for the one environment of a policy: a series of another would hide the fault."""

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """An alert: what must hold, for how long, how grave it is, and what people are told."""

    name: str
    group: str
    file: str
    expr: str
    for_seconds: int
    interval_seconds: int
    labels: Pairs
    annotations: Pairs

    def expr_of(self, environment: str) -> str:
        """Return the expression with that environment in the place of any, where it says any."""
        return self.expr.replace(ANY_ENVIRONMENT, f'environment="{environment}"')

    @property
    def severity(self) -> str:
        """`critical`, `error` or `warning`."""
        return dict(self.labels).get("severity", "")

    @property
    def notify(self) -> str:
        """`page` where somebody is woken, `ticket` where it can wait for the day."""
        return dict(self.labels).get("notify", "")

    @property
    def scope(self) -> str:
        """`pipeline`, or `environment` where the fault is no pipeline's own."""
        return dict(self.labels).get("scope", "pipeline")

    @property
    def gates_canary(self) -> bool:
        """Whether the alert is made to judge a phase of a canary."""
        return dict(self.labels).get("gate") == "canary"

    @property
    def needs(self) -> str:
        """The platform's own job without which there is no such alert; empty: it is always there."""
        return dict(self.labels).get("needs", "")

    @property
    def summary(self) -> str:
        """One line, with Prometheus's templates."""
        return dict(self.annotations).get("summary", "")

    @property
    def description(self) -> str:
        """What was seen, with Prometheus's templates."""
        return dict(self.annotations).get("description", "")

    @property
    def runbook(self) -> str:
        """The runbook's path from the project's folder."""
        return dict(self.annotations).get("runbook_url", "")

    @property
    def requirements(self) -> tuple[str, ...]:
        """Ids of the requirements that the alert answers, such as M1."""
        return tuple(dict(self.annotations).get("requirements", "").split())


def load_rules(folder: Path = RULES_FOLDER) -> tuple[Rule, ...]:
    """Return every alert of the rule files of `folder`, by file and in the files' order.

    Raises StackFileError with every problem of a file that is no rule file; whether the rules are good is
    for `headroom.alerts.linting`.
    """
    rules, problems = [], []
    for path in sorted(folder.glob("*.yaml")):
        try:
            rules += _read(path)
        except StackFileError as error:
            problems += [Problem(f"{path.name}: {each.path}", each.message) for each in error.problems]
    if problems:
        raise StackFileError(problems)
    return tuple(rules)


def find_rule(rules: Iterable[Rule], name: str) -> Rule | None:
    """Return the rule of that name, however it is capitalised."""
    return next((rule for rule in rules if rule.name.lower() == name.lower()), None)


def resolve_runbooks(rules: Iterable[Rule], base_url: str) -> tuple[Rule, ...]:
    """Return the rules with runbooks below `base_url`, such as a repository's pages; empty: as they are."""
    if not base_url:
        return tuple(rules)
    return tuple(
        replace(
            rule,
            annotations=tuple(
                (key, f"{base_url.rstrip('/')}/{value}" if key == "runbook_url" else value)
                for key, value in rule.annotations
            ),
        )
        for rule in rules
    )


def render_rules(rules: Iterable[Rule]) -> str:
    """Return one Prometheus rule file, as YAML, with all the rules in their groups."""
    groups: dict[tuple[str, int], list[Rule]] = {}
    for rule in rules:
        groups.setdefault((rule.group, rule.interval_seconds), []).append(rule)
    data = [
        {
            "name": name,
            "interval": format_duration(interval),
            "rules": [_render(rule) for rule in members],
        }
        for (name, interval), members in groups.items()
    ]
    return yaml.dump({"groups": data}, Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def _render(rule: Rule) -> dict[str, Any]:
    return {
        "alert": rule.name,
        "expr": rule.expr,
        "for": format_duration(rule.for_seconds),
        "labels": dict(rule.labels),
        "annotations": dict(rule.annotations),
    }


def _read(path: Path) -> list[Rule]:
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - a safe one
        groups = data["groups"]
    except yaml.YAMLError as error:
        raise StackFileError([Problem("groups", f"is no YAML: {' '.join(str(error).split())}")]) from None
    except (KeyError, TypeError):
        raise StackFileError([Problem("groups", "is missing; a rule file begins with it")]) from None
    rules, problems = [], []
    for number, group in enumerate(groups):
        where = f"groups[{number}]"
        problems += _unknown_keys(group, _GROUP_KEYS, where)
        for count, row in enumerate(group.get("rules", ())):
            try:
                rules.append(_rule(row, group, path.name))
            except (KeyError, ValueError, TypeError) as error:
                problems.append(Problem(f"{where}.rules[{count}]", _explain(error)))
            problems += _unknown_keys(row, _RULE_KEYS, f"{where}.rules[{count}]")
    if problems:
        raise StackFileError(problems)
    return rules


def _rule(row: dict[str, Any], group: dict[str, Any], file: str) -> Rule:
    return Rule(
        name=row["alert"],
        group=group["name"],
        file=file,
        expr=str(row["expr"]).strip() + "\n",
        for_seconds=parse_duration(str(row.get("for", "0s"))),
        interval_seconds=parse_duration(str(group["interval"])),
        labels=tuple((key, str(value)) for key, value in row["labels"].items()),
        annotations=tuple((key, str(value).strip()) for key, value in row["annotations"].items()),
    )


def _unknown_keys(found: dict[str, Any], known: set[str], where: str) -> list[Problem]:
    return [
        Problem(f"{where}.{key}", f"is no key that alerts have; they have {', '.join(sorted(known))}")
        for key in found
        if key not in known
    ]


def _explain(error: Exception) -> str:
    return f"needs {error.args[0]}" if isinstance(error, KeyError) else str(error)
