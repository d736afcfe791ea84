"""What Cloud Monitoring refuses of alert policies and snoozes beyond what their schemas say.

Sources: cloud.google.com/monitoring/quotas, cloud.google.com/monitoring/alerts/doc-variables, alertPolicies
and snoozes in cloud.google.com/monitoring/api/ref_v3/rest/v3, 2026-11-21.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from sandbox.google.errors import ApiError
from sandbox.google.rules import Request, Surroundings
from sandbox.google.store import LIVE

POLICY: Final = "gcp:monitoring/alertPolicy:AlertPolicy"
SNOOZE: Final = "gcp:monitoring/snooze:Snooze"

_MOST: Final = {"conditions": 6, "notificationChannels": 16, "userLabels": 64}
_MOST_LINKS: Final = 3
_LONGEST: Final = {"content": 8_192, "subject": 255}
_SKEW_S: Final = 15
_MOST_SNOOZED: Final = 16
_LABEL: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_VALUE: Final = re.compile(r"[a-z0-9_-]{0,63}")
_RULE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def require_sound_alerting(request: Request, around: Surroundings) -> None:
    """Raise `ApiError` 400 for an alert policy or a snooze that Google would not take, 404 for a query of
    metrics that are not there."""
    if request.token == POLICY:
        for problem in _policy_problems(request.properties):
            raise _invalid(problem)
        for condition in request.properties.get("conditions") or ():
            _require_metrics(condition)
    if request.token == SNOOZE:
        for problem in _snooze_problems(request, around):
            raise _invalid(problem)


def _invalid(problem: str) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, problem, "badRequest")


def _policy_problems(policy: Mapping[str, Any]) -> Iterator[str]:
    for name, most in _MOST.items():
        if len(policy.get(name) or ()) > most:
            yield f"Field alert_policy.{name} had an invalid value: at most {most} are allowed."
    for key, value in (policy.get("userLabels") or {}).items():
        if not (_LABEL.fullmatch(key) and _VALUE.fullmatch(value)):
            yield f'Field alert_policy.userLabels had an invalid value: "{key}={value}".'
    yield from _documentation_problems(policy.get("documentation") or {})
    yield from _log_problems(policy)
    for condition in policy.get("conditions") or ():
        yield from _query_problems(condition.get("conditionPrometheusQueryLanguage") or {})


def _documentation_problems(documentation: Mapping[str, Any]) -> Iterator[str]:
    for name, longest in _LONGEST.items():
        if len((documentation.get(name) or "").encode()) > longest:
            yield f"Field alert_policy.documentation.{name} is longer than {longest} bytes."
    if len(documentation.get("links") or ()) > _MOST_LINKS:
        yield f"Field alert_policy.documentation.links may have at most {_MOST_LINKS}."


def _log_problems(policy: Mapping[str, Any]) -> Iterator[str]:
    conditions = policy.get("conditions") or ()
    on_logs = [condition for condition in conditions if condition.get("conditionMatchedLog")]
    strategy = policy.get("alertStrategy") or {}
    if on_logs and len(conditions) > 1:
        yield "A policy with a LogMatch condition may have no other condition."
    if bool(on_logs) != bool(strategy.get("notificationRateLimit")):
        yield "notification_rate_limit is required for, and only for, a policy with a LogMatch condition."
    if on_logs and strategy.get("notificationChannelStrategies"):
        yield "Notifications of a policy with a LogMatch condition cannot be repeated."


def _query_problems(condition: Mapping[str, Any]) -> Iterator[str]:
    interval = _seconds(condition.get("evaluationInterval") or "30s")
    if interval % 30 or interval < 30:
        yield "evaluation_interval must be a positive multiple of 30 seconds."
    if not _RULE_NAME.fullmatch(condition.get("alertRule") or "_"):
        yield "alert_rule must be a valid Prometheus label name."


def _require_metrics(condition: Mapping[str, Any]) -> None:
    """In an empty project there is nothing yet that a query could find."""
    query = condition.get("conditionPrometheusQueryLanguage")
    if query and not query.get("disableMetricValidation"):
        message = (
            "Cannot find metrics that match the query; it can take up to 10 minutes until a new one is seen."
        )
        raise ApiError(HTTPStatus.NOT_FOUND, message, "notFound")


def _snooze_problems(request: Request, around: Surroundings) -> Iterator[str]:
    criteria = request.properties.get("criteria") or {}
    policies = criteria.get("policies") or ()
    if len(policies) > _MOST_SNOOZED:
        yield f"A snooze may have at most {_MOST_SNOOZED} policies."
    if criteria.get("filter") and len(policies) != 1:
        yield "A snooze with a filter must have exactly one policy."
    start, end = _interval(request.properties)
    if start > end:
        yield "The start time must not be later than the end time."
    existing = around.store.find(SNOOZE, request.identity)
    if existing is None or existing.status != LIVE:
        if start < request.moment - _SKEW_S:
            yield "The start time of a snooze cannot be in the past."
        return
    old_start, old_end = _interval(existing.properties)
    if (start, end) != (old_start, old_end) and old_end <= request.moment:
        yield "A snooze that has expired cannot be changed."
    if start != old_start and old_start <= request.moment:
        yield "The start time of an active snooze cannot be changed."


def _interval(properties: Mapping[str, Any]) -> tuple[float, float]:
    interval = properties["interval"]
    end = interval["endTime"]
    return _epoch(interval.get("startTime") or end), _epoch(end)


def _epoch(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _seconds(duration: str) -> float:
    return float(duration.removesuffix("s"))
