"""Rules for alerts: what each kind of pipeline needs is there, and somebody is told what to do."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from headroom.alerts.linting import kebab_case
from headroom.alerts.rules import ANY_ENVIRONMENT
from headroom.alerts.security_events import load_security_events
from headroom.planning.notifications import known_rules
from headroom.planning.operations import NAMESPACE
from headroom.planning.owner_alerts import name_owner
from policies.alert_queries import ReadQuery, read_query
from policies.model import Model
from policies.resources import ABSENT, UNKNOWN, Missing, Resource, each, has_unknown, read
from policies.rules import Found, Rule
from policies.settings import Settings

ALERT_POLICY = "gcp:monitoring/alertPolicy:AlertPolicy"
CRON_JOB = "kubernetes:batch/v1:CronJob"
CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel"
ROUTES = "headroom:alerting.routes"
_PROMQL = "conditionPrometheusQueryLanguage"
_CONDITIONS = (_PROMQL, "conditionThreshold", "conditionMatchedLog")

KIND_REQUIREMENTS: Mapping[str, frozenset[str]] = {
    "serving": frozenset(("M1", "M2", "M3", "M4", "M5", "M15", "M16", "D8")),
    "data": frozenset(("M6", "M7", "M8", "M9", "M10")),
    "training": frozenset(("M11", "M12", "M13")),
    "validation": frozenset(("M14",)),
}
"""What must be detected for each kind of pipeline (docs/requirements.md)."""
_OF_ALL = frozenset(("Q3", "Q5", "M17"))
_RUNBOOK = re.compile(r"Runbook: \S+[.]md\b")


def required_alerts(kinds: Iterable[str], jobs: Collection[object] = ()) -> dict[str, str]:
    """Return the alerts that pipelines of these kinds and jobs of the platform's own need, by label, and what
    asks for each."""
    wanted = _OF_ALL.union(*(KIND_REQUIREMENTS.get(kind, frozenset()) for kind in kinds))
    needed = {
        kebab_case(rule.name): next(answered for answered in rule.requirements if answered in wanted)
        for rule in known_rules()
        if wanted.intersection(rule.requirements) and (not rule.needs or rule.needs in jobs)
    }
    return needed | {kebab_case(event.name): "M17" for event in load_security_events()}


def _check_required(model: Model, _: Settings) -> Iterator[Found]:
    kinds = {space.kind for space in model.namespaces if space.is_ours}
    held = _by_alert(model.alert_policies)
    if UNKNOWN in held and kinds:
        yield held[UNKNOWN][0], f"which alert it is for is {UNKNOWN.value}", "write its userLabels out"
    jobs = [job.object_name for job in model.of(CRON_JOB) if job.read("metadata", "namespace") == NAMESPACE]
    for alert, requirement in required_alerts(map(str, kinds), jobs).items() if kinds else ():
        policies = [policy for policy in held.get(alert, ()) if policy.read("userLabels", "owner") is ABSENT]
        if not policies:
            yield alert, f"no alert policy has this alert, which {requirement} asks for", "keep it"
        for policy in policies:
            yield from _check_owners(policy, held[alert])
    for policy in (policy for policies in held.values() for policy in policies):
        yield from _check_policy(policy)


def _check_policy(policy: Resource) -> Iterator[Found]:
    if policy.read("enabled") not in (ABSENT, True):
        yield policy, "is not enabled, so nobody is told", "remove enabled"
    conditions = policy.read("conditions")
    if has_unknown(conditions) or not each(conditions):
        shown = UNKNOWN.value if has_unknown(conditions) else "not there"
        yield policy, f"its condition is {shown}", "keep it as headroom/alerts/rules has it"
        return
    alert = str(policy.read("userLabels", "alert"))
    for condition in each(conditions):
        query = read(condition, _PROMQL, "query")
        if isinstance(query, str) and alert in _known_queries():
            yield from _check_query(policy, read_query(query), _known_queries()[alert])
        elif all(read(condition, kind) is ABSENT for kind in _CONDITIONS):
            yield policy, "has a condition that nothing is known to break", "keep the rule's"


def _check_query(policy: Resource, query: ReadQuery, expected: str) -> Iterator[Found]:
    owner, environment = policy.read("userLabels", "owner"), policy.read("userLabels", "environment")
    if query.rule != expected:
        yield (
            policy,
            "its query is another than the alert's in headroom/alerts/rules, thresholds aside",
            "change the rule there, where it is tested",
        )
    if query.environment == "" and ANY_ENVIRONMENT in expected:
        yield policy, "looks at all environments, and one may hide another's fault", "keep the program's"
    elif query.environment not in ("", environment):
        yield policy, f"looks at {query.environment} rather than {_show(environment)}", "look at its own"
    if [name_owner(each) for each in query.only] != ([] if owner is ABSENT else [owner]):
        whose = ", ".join(query.only) or "all"
        yield policy, f"is for the pipelines of {whose}, which its labels do not say", "keep the program's"


def _check_owners(policy: Resource, all_of_alert: list[Resource]) -> Iterator[Found]:
    """A policy that leaves owners' pipelines out needs another that is for them."""
    served = {each.read("userLabels", "owner") for each in all_of_alert}
    for condition in each(policy.read("conditions")):
        query = read(condition, _PROMQL, "query")
        for owner in read_query(query).left_out if isinstance(query, str) else ():
            if name_owner(owner) not in served:
                yield policy, f"leaves the pipelines of {owner} out, and no other has them", "keep the other"


def _check_told(model: Model, _: Settings) -> Iterator[Found]:
    yield from _check_silent(model)
    for policy in model.alert_policies:
        channels = policy.read("notificationChannels")
        if has_unknown(channels) and not policy.options.comes_from("notificationChannels", (CHANNEL,)):
            yield policy, f"whom it tells is {UNKNOWN.value}", "name a channel of the stack"
    for channel in model.notification_channels:
        if channel.read("enabled") not in (ABSENT, True):
            yield channel, "is not enabled, so nobody is told", "remove enabled"


def _is_silent(policy: Resource) -> bool:
    return policy.read("notificationChannels") in (ABSENT, [])


def _check_silent(model: Model) -> Iterator[Found]:
    """Where a route is empty, that is told once, rather than of each policy that follows it."""
    of_route: dict[str, list[Resource]] = {}
    for policy in model.alert_policies:
        route = policy.read("userLabels", "notify")
        shared = isinstance(route, str) and policy.read("userLabels", "owner") is ABSENT
        of_route.setdefault(route if shared else "", []).append(policy)
    for route, policies in sorted(of_route.items()):
        silent = [policy for policy in policies if _is_silent(policy)]
        on_metrics = [policy for policy in policies if not _is_of_logs(policy)]
        if route and len(on_metrics) > 1 and all(map(_is_silent, on_metrics)):
            message = f"{len(silent)} alerts follow it and tell nobody"
            yield f"{ROUTES}.{route}", message, "name a channel there"
            continue
        for policy in silent:
            yield policy, "tells nobody", f"name a channel in {ROUTES}"


def _is_of_logs(policy: Resource) -> bool:
    """Security events have a route of their own, and only without one follow the others."""
    return any(
        read(condition, "conditionMatchedLog") is not ABSENT for condition in each(policy.read("conditions"))
    )


def _check_runbook(resource: Resource, _: Settings) -> Iterator[Found]:
    content = resource.read("documentation", "content")
    if not isinstance(content, str):
        yield (
            resource,
            f"its documentation is {content.value}",
            "say what to do, with `Runbook: ` and its path",
        )
    elif not _RUNBOOK.search(content):
        yield resource, "its documentation names no runbook", "say `Runbook: ` and the path of one"


def _by_alert(policies: Iterable[Resource]) -> dict[object, list[Resource]]:
    held: dict[object, list[Resource]] = {}
    for policy in policies:
        held.setdefault(policy.read("userLabels", "alert"), []).append(policy)
    return held


@cache
def _known_queries() -> Mapping[str, str]:
    return {kebab_case(rule.name): read_query(rule.expr).rule for rule in known_rules()}


def _show(value: Any) -> str:
    return value.value if isinstance(value, Missing) else str(value)


ALERT_RULES = (
    Rule(
        name="pipelines-have-alerts",
        description="Every alert that the pipelines' kinds need is there, on, and as it was tested.",
        family="operations",
        severity="high",
        reference="M1 to M16",
        remedy="Keep the alert policies that the program makes of headroom/alerts/rules.",
        of_stack=_check_required,
    ),
    Rule(
        name="alerts-reach-somebody",
        description="Every alert is told to a channel that is on.",
        family="operations",
        severity="high",
        reference="M1 to M17",
        remedy="Name channels in headroom:alerting.routes.",
        of_stack=_check_told,
    ),
    Rule(
        name="alerts-have-runbooks",
        description="Every alert says where it is written what to do.",
        family="operations",
        severity="medium",
        reference="D5",
        remedy="Name the runbook in the alert's documentation.",
        of_resource=_check_runbook,
        types=(ALERT_POLICY,),
    ),
)
