"""What an alerting section cannot ask for, and what it would leave unheard."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from headroom.alerts.rules import Rule
from headroom.alerts.security_events import load_security_events
from headroom.alerts.thresholds import load_thresholds
from headroom.planning.notifications import known_rules, needed_rules
from headroom.spec.alerting import Alerting
from headroom.spec.errors import Problem, did_you_mean, suggest
from headroom.spec.platform import Platform

_PATH = "headroom:alerting"


def check_alerting(platform: Platform) -> list[Problem]:
    """Return what is wrong with the alerting that a platform asks for."""
    alerting, rules = platform.alerting, known_rules()
    return [
        *_check_routes(alerting),
        *_check_owners(platform),
        *_check_thresholds(alerting.thresholds, rules),
        *_check_mutes(platform, rules),
    ]


def find_unheard(alerting: Alerting) -> list[Problem]:
    """Return what nobody would be told of, and channels that are told of nothing."""
    used = {name for _, names in _routes(alerting) for name in names}
    return [
        Problem(f"{_PATH}.routes.{urgency}", f"names no channel: nobody is told of {what}")
        for urgency, what in (("page", "what cannot wait"), ("ticket", "what can wait"))
        if not getattr(alerting.routes, urgency)
    ] + [
        Problem(f"{_PATH}.channels.{name}", "is told of nothing; name it in routes or owners")
        for name in alerting.channels
        if name not in used
    ]


def _routes(alerting: Alerting) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the key of each list of channels, and the list."""
    for urgency in ("page", "ticket", "security"):
        yield f"{_PATH}.routes.{urgency}", getattr(alerting.routes, urgency)
    for owner, routes in alerting.owners.items():
        for urgency in ("page", "ticket"):
            yield f"{_PATH}.owners.{owner}.{urgency}", getattr(routes, urgency)


def _check_routes(alerting: Alerting) -> list[Problem]:
    return [
        Problem(f"{key}[{number}]", "is no channel of this stack" + suggest(name, alerting.channels))
        for key, names in _routes(alerting)
        for number, name in enumerate(names)
        if name not in alerting.channels
    ]


def _check_owners(platform: Platform) -> list[Problem]:
    owning = {pipeline.owner for pipeline in platform.pipelines.values()}
    owners = platform.alerting.owners
    problems = [
        Problem(f"{_PATH}.owners.{owner}", "owns no pipeline of this stack" + suggest(owner, owning))
        for owner in owners
        if owner not in owning
    ]
    problems += [
        Problem(f"{_PATH}.owners.{owner}", "names no channel; give page or ticket some")
        for owner, routes in owners.items()
        if not (routes.page or routes.ticket)
    ]
    return problems


def _check_thresholds(values: Mapping[str, float], rules: Sequence[Rule]) -> list[Problem]:
    known, names = load_thresholds(), [rule.name for rule in rules]
    problems = []
    for alert, value in values.items():
        threshold, key = known.get(alert), f"{_PATH}.thresholds.{alert}"
        if threshold and not threshold.least <= value <= threshold.most:
            bounds = f"{threshold.least:g} to {threshold.most:g}, and {threshold.default:g} by default"
            problems.append(Problem(key, f"is {value:g}; {threshold.meaning}: {bounds}"))
        elif threshold is None and alert in names:
            movable = ", ".join(sorted(known))
            problems.append(
                Problem(
                    key, f"takes its bound from metrics that pipelines export; here can be moved {movable}"
                )
            )
        elif threshold is None:
            problems.append(Problem(key, _no_alert(alert, known)))
    return problems


def _check_mutes(platform: Platform, rules: Sequence[Rule]) -> list[Problem]:
    divided = {rule.name for rule in rules if rule.scope == "pipeline"}
    names = {rule.name for rule in rules} | {event.name for event in load_security_events()}
    absent = {rule.name: rule.needs for rule in rules if rule not in needed_rules(platform)}
    problems = []
    for name, mute in platform.alerting.mutes.items():
        key = f"{_PATH}.mutes.{name}"
        for number, alert in enumerate(mute.alerts):
            if alert not in names:
                problems.append(Problem(f"{key}.alerts[{number}]", _no_alert(alert, names)))
            elif alert in absent:
                job = f"headroom:operations.{absent[alert]}"
                problems.append(
                    Problem(
                        f"{key}.alerts[{number}]", f"is no alert of this stack, which has no {job}; remove it"
                    )
                )
            elif mute.pipelines and alert not in divided:
                problems.append(
                    Problem(f"{key}.alerts[{number}]", "is no alert on pipelines; mute it without pipelines")
                )
        problems += [
            Problem(
                f"{key}.pipelines[{number}]",
                "is no pipeline of this stack" + suggest(pipeline, platform.pipelines),
            )
            for number, pipeline in enumerate(mute.pipelines)
            if pipeline not in platform.pipelines
        ]
    return problems


def _no_alert(alert: str, names: Iterable[str]) -> str:
    return "is no alert" + (did_you_mean(alert, sorted(names)) or "; `headroom alerts list` names them")
