"""What Cloud Deploy refuses of pipelines, targets, automations and policies beyond what their schemas say.

Sources: the field descriptions in cloud.google.com/deploy/docs/api/reference/rest/v1 and
cloud.google.com/deploy/docs/deployment-strategies/canary, 2026-11-21.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from itertools import pairwise
from typing import Any, Final

from sandbox.google.errors import ApiError
from sandbox.google.rules import Request

PIPELINE: Final = "gcp:clouddeploy/deliveryPipeline:DeliveryPipeline"
TARGET: Final = "gcp:clouddeploy/target:Target"
AUTOMATION: Final = "gcp:clouddeploy/automation:Automation"
POLICY: Final = "gcp:clouddeploy/deployPolicy:DeployPolicy"

_STABLE: Final = "stable"
_LONGEST_ANALYSIS_S: Final = 48 * 3_600
_LONGEST_WAIT_S: Final = 14 * 86_400
_LONGEST_ROUTE_UPDATE_S: Final = 3 * 3_600
_CUTBACK_S: Final = (15, 3_600)
_EXECUTION_S: Final = (600, 86_400)
_MOST_RETRIES: Final = 10
_ID: Final = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_ALERT_POLICY: Final = re.compile(r"projects/[^/]+/alertPolicies/[^/]+")

Properties = Mapping[str, Any]


def require_sound_delivery(request: Request) -> None:
    """Raise `ApiError` 400 for what Cloud Deploy would not take."""
    check = _CHECKS.get(request.token)
    for problem in check(request.properties) if check else ():
        raise ApiError(HTTPStatus.BAD_REQUEST, problem, "badRequest")


def _pipeline_problems(pipeline: Properties) -> Iterator[str]:
    stages = (pipeline.get("serialPipeline") or {}).get("stages") or ()
    yield from _repeated("target_id", (stage.get("targetId") for stage in stages))
    for stage in stages:
        canary = (stage.get("strategy") or {}).get("canary") or {}
        if custom := canary.get("customCanaryDeployment"):
            yield from _phase_problems(custom.get("phaseConfigs") or ())
        kubernetes = (canary.get("runtimeConfig") or {}).get("kubernetes") or {}
        yield from _mesh_problems(kubernetes.get("gatewayServiceMesh") or {})


def _phase_problems(phases: Iterable[Properties]) -> Iterator[str]:
    phases = list(phases)
    yield from _repeated("phase_id", (phase["phaseId"] for phase in phases))
    percentages = [phase["percentage"] for phase in phases]
    if any(later <= earlier for earlier, later in pairwise(percentages)):
        yield "The percentages of phase_configs must be in ascending order."
    last = phases[-1] if phases else {}
    if (last.get("phaseId"), last.get("percentage")) != (_STABLE, 100):
        yield 'The last of phase_configs must have the phase_id "stable" and the percentage 100.'
    for phase in phases:
        if not _ID.fullmatch(phase["phaseId"]):
            yield f'Invalid phase_id "{phase["phaseId"]}".'
        yield from _analysis_problems(phase.get("analysis") or {})


def _analysis_problems(analysis: Properties) -> Iterator[str]:
    if not analysis:
        return
    if not 0 < _seconds(analysis["duration"]) <= _LONGEST_ANALYSIS_S:
        yield "The duration of an analysis must be at most 48 hours."
    checks = (analysis.get("googleCloud") or {}).get("alertPolicyChecks") or ()
    yield from _repeated("id of alert_policy_checks", (check["id"] for check in checks))
    for check in checks:
        for policy in check.get("alertPolicies") or ():
            if not _ALERT_POLICY.fullmatch(policy):
                yield f'Invalid alert policy "{policy}": not projects/PROJECT/alertPolicies/ID.'


def _mesh_problems(mesh: Properties) -> Iterator[str]:
    if _seconds(mesh.get("routeUpdateWaitTime") or "0s") > _LONGEST_ROUTE_UPDATE_S:
        yield "route_update_wait_time must be at most 3 hours."
    least, most = _CUTBACK_S
    cutback = mesh.get("stableCutbackDuration")
    if cutback and not least <= _seconds(cutback) <= most:
        yield "stable_cutback_duration must be between 15s and 3600s."


def _target_problems(target: Properties) -> Iterator[str]:
    gke = target.get("gke") or {}
    if gke.get("dnsEndpoint") and gke.get("internalIp"):
        yield "dns_endpoint and internal_ip cannot both be set."
    if not any(target.get(kind) for kind in ("gke", "run", "anthosCluster", "multiTarget", "customTarget")):
        yield "A target must name where it deploys to."
    least, most = _EXECUTION_S
    used: list[str] = []
    for config in target.get("executionConfigs") or ():
        used += config.get("usages") or ()
        timeout = config.get("executionTimeout")
        if timeout and not least <= _seconds(timeout) <= most:
            yield "execution_timeout must be between 10 minutes and 24 hours."
    yield from _repeated("usage of execution_configs", used)


def _automation_problems(automation: Properties) -> Iterator[str]:
    rules = [
        (kind, rule[kind])
        for rule in automation.get("rules") or ()
        for kind in rule
        if isinstance(rule[kind], Mapping)
    ]
    if not rules:
        yield "An automation must have a rule."
    yield from _repeated("id of rules", (rule["id"] for _, rule in rules))
    for kind, rule in rules:
        if _seconds(rule.get("wait") or "0s") > _LONGEST_WAIT_S:
            yield "The wait of a rule must be at most 14 days."
        if kind == "repairRolloutRule":
            yield from _repair_problems(rule.get("repairPhases") or ())


def _repair_problems(phases: Iterable[Properties]) -> Iterator[str]:
    phases = list(phases)
    if not phases:
        yield "A repair rule must have a repair phase."
    for number, phase in enumerate(phases):
        if retry := phase.get("retry"):
            if not 1 <= int(retry["attempts"]) <= _MOST_RETRIES:
                yield "The attempts of a retry must be between 1 and 10."
        elif number < len(phases) - 1:
            yield "Nothing can follow a rollback."


def _policy_problems(policy: Properties) -> Iterator[str]:
    rules = [
        rule["rolloutRestriction"] for rule in policy.get("rules") or () if rule.get("rolloutRestriction")
    ]
    if not rules or not policy.get("selectors"):
        yield "A deploy policy must have a rule and a selector."
    yield from _repeated("id of rules", (rule["id"] for rule in rules))
    for rule in rules:
        windows = rule.get("timeWindows") or {}
        weekly, once = windows.get("weeklyWindows") or (), windows.get("oneTimeWindows") or ()
        if not (weekly or once):
            yield "A rollout restriction must have a time window."
        for window in weekly:
            if bool(window.get("startTime")) != bool(window.get("endTime")):
                yield "A weekly window has both start_time and end_time, or neither."
            elif window.get("startTime") and _clock(window["startTime"]) >= _clock(window["endTime"]):
                yield "The end_time of a weekly window must be after its start_time."
        for window in once:
            if _moment(window, "start") >= _moment(window, "end"):
                yield "The end of a one-time window must be after its start."


def _repeated(what: str, values: Iterable[Any]) -> Iterator[str]:
    for value, count in Counter(value for value in values if value).items():
        if count > 1:
            yield f'The {what} "{value}" is given more than once.'


def _moment(window: Properties, side: str) -> tuple[int, ...]:
    date = window[f"{side}Date"]
    return (int(date["year"]), int(date["month"]), int(date["day"]), *_clock(window[f"{side}Time"]))


def _clock(time: Properties) -> tuple[int, int]:
    return int(time.get("hours") or 0), int(time.get("minutes") or 0)


def _seconds(duration: str) -> float:
    return float(duration.removesuffix("s"))


_CHECKS: Final = {
    PIPELINE: _pipeline_problems,
    TARGET: _target_problems,
    AUTOMATION: _automation_problems,
    POLICY: _policy_problems,
}
