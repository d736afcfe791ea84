"""Decides whether an object is ready, where pulumi-kubernetes waits for that.

Source: the awaiters in pulumi-kubernetes provider/pkg/await, read 2026-11-21; for Deployments, StatefulSets
and DaemonSets the conditions of kubectl's `rollout status`.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.kubernetes.manifests import annotation, is_annotated

_JSON_PATH: Final = re.compile(r"jsonpath=\{?(?P<path>\.[^}=]+)\}?(=(?P<value>.*))?", re.DOTALL)
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_CONDITION: Final = re.compile(r"condition=(?P<type>[^=]+)(=(?P<status>.*))?")


@dataclass(frozen=True)
class Readiness:
    """Why an object is not ready (nothing: it is), and whether it can still become so."""

    reasons: tuple[str, ...] = ()
    has_failed: bool = False

    @property
    def is_ready(self) -> bool:
        """Whether nobody has to wait any more."""
        return not self.reasons


READY: Final = Readiness()


class ConditionError(ValueError):
    """An annotation `pulumi.com/waitFor` that cannot be read."""


def judge(inputs: Mapping[str, Any], live: Mapping[str, Any], *, is_update: bool = False) -> Readiness:
    """Whether the live object is ready, as the inputs' annotations and its kind want it.

    Raises ConditionError for an annotation `pulumi.com/waitFor` that cannot be read.
    """
    if is_annotated(inputs, "skipAwait"):
        return READY
    if annotation(live, "waitFor"):
        return Readiness(tuple(_unmet(annotation(live, "waitFor"), live)))
    judges = _JUDGES.get((str(live.get("apiVersion")), str(live.get("kind"))))
    if judges is None:
        return READY
    if is_update and live.get("kind") == "PersistentVolumeClaim":
        return READY
    return judges(live)


def is_awaited(live: Mapping[str, Any]) -> bool:
    """Whether objects of this kind are waited for at all."""
    return (str(live.get("apiVersion")), str(live.get("kind"))) in _JUDGES


def _status(live: Mapping[str, Any]) -> Mapping[str, Any]:
    return live.get("status") or {}


def _condition(live: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    conditions = _status(live).get("conditions") or ()
    return next((each for each in conditions if str(each.get("type")).lower() == kind.lower()), {})


def _is_stale(live: Mapping[str, Any]) -> bool:
    observed = _status(live).get("observedGeneration", 0)
    return observed < live.get("metadata", {}).get("generation", 0)


def _wait(*reasons: str) -> Readiness:
    return Readiness(reasons)


def _fail(*reasons: str) -> Readiness:
    return Readiness(reasons, has_failed=True)


def _judge_deployment(live: Mapping[str, Any]) -> Readiness:
    progress = _condition(live, "Progressing")
    if progress.get("reason") == "ProgressDeadlineExceeded":
        return _fail(f"[{progress['reason']}] {progress.get('message', '')}")
    return _count(live, live.get("spec", {}).get("replicas", 1), "updatedReplicas", "availableReplicas")


def _judge_stateful_set(live: Mapping[str, Any]) -> Readiness:
    return _count(live, live.get("spec", {}).get("replicas", 1), "updatedReplicas", "readyReplicas")


def _judge_daemon_set(live: Mapping[str, Any]) -> Readiness:
    wanted = _status(live).get("desiredNumberScheduled", 0)
    return _count(live, wanted, "updatedNumberScheduled", "numberAvailable")


def _count(live: Mapping[str, Any], wanted: int, *fields: str) -> Readiness:
    if _is_stale(live):
        return _wait("the controller has not seen this version yet")
    missing = [field for field in fields if _status(live).get(field, 0) < wanted]
    return _wait(*(f"{field} is {_status(live).get(field, 0)} of {wanted}" for field in missing))


def _judge_job(live: Mapping[str, Any]) -> Readiness:
    failed = _condition(live, "Failed")
    if failed.get("status") == "True":
        return _fail(f"[{failed.get('reason', 'Failed')}] {failed.get('message', '')}")
    done = _condition(live, "Complete").get("status") == "True"
    return READY if done else _wait("the job has not completed")


def _judge_claim(live: Mapping[str, Any]) -> Readiness:
    return READY if _status(live).get("phase") == "Bound" else _wait("the claim is not bound")


def _judge_volume(live: Mapping[str, Any]) -> Readiness:
    is_there = _status(live).get("phase") in ("Available", "Bound")
    return READY if is_there else _wait("the volume is neither available nor bound")


def _judge_pod(live: Mapping[str, Any]) -> Readiness:
    if _status(live).get("phase") == "Succeeded" or _condition(live, "Ready").get("status") == "True":
        return READY
    return _wait("the pod is not ready")


def _judge_service(live: Mapping[str, Any]) -> Readiness:
    is_balanced = live.get("spec", {}).get("type") == "LoadBalancer"
    if is_balanced and not _status(live).get("loadBalancer", {}).get("ingress"):
        return _wait("Service was not allocated an IP address; does your cloud provider support this?")
    return READY


def _judge_quota(live: Mapping[str, Any]) -> Readiness:
    is_seen = live.get("spec", {}).get("hard") == _status(live).get("hard")
    return READY if is_seen else _wait("the quota is not in force yet")


def _judge_secret(live: Mapping[str, Any]) -> Readiness:
    is_token = live.get("type") == "kubernetes.io/service-account-token"
    return _wait("the token is not there yet") if is_token and not live.get("data") else READY


def _judge_definition(live: Mapping[str, Any]) -> Readiness:
    is_served = _condition(live, "Established").get("status") == "True"
    return READY if is_served else _wait("the kind is not served yet")


_JUDGES: Final[Mapping[tuple[str, str], Callable[[Mapping[str, Any]], Readiness]]] = {
    ("apps/v1", "Deployment"): _judge_deployment,
    ("apps/v1", "StatefulSet"): _judge_stateful_set,
    ("apps/v1", "DaemonSet"): _judge_daemon_set,
    ("batch/v1", "Job"): _judge_job,
    ("v1", "PersistentVolumeClaim"): _judge_claim,
    ("v1", "PersistentVolume"): _judge_volume,
    ("v1", "Pod"): _judge_pod,
    ("v1", "Service"): _judge_service,
    ("v1", "ResourceQuota"): _judge_quota,
    ("v1", "Secret"): _judge_secret,
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): _judge_definition,
}


def _unmet(text: str, live: Mapping[str, Any]) -> Iterator[str]:
    """The conditions of a `pulumi.com/waitFor` annotation that the live object does not meet."""
    try:
        expressions = json.loads(text)
    except ValueError:
        expressions = [text]
    for expression in expressions if isinstance(expressions, list) else [text]:
        if not _is_met(str(expression), live):
            yield f"{expression} is not met"


def _is_met(expression: str, live: Mapping[str, Any]) -> bool:
    if match := _CONDITION.fullmatch(expression):
        status = _condition(live, match["type"]).get("status", "")
        return not _is_stale_condition(live) and status.lower() == (match["status"] or "True").lower()
    if match := _JSON_PATH.fullmatch(expression):
        found = _look_up(live, match["path"])
        return found is not None if match["value"] is None else _text(found) == match["value"]
    raise ConditionError(
        f'pulumi.com/waitFor: expected a "jsonpath=" or "condition=" prefix, got "{expression}"'
    )


def _is_stale_condition(live: Mapping[str, Any]) -> bool:
    return "observedGeneration" in _status(live) and _is_stale(live)


def _look_up(value: Any, path: str) -> Any:
    for name, index in _STEP.findall(path):
        if name:
            value = value.get(name) if isinstance(value, Mapping) else None
        else:
            value = value[int(index)] if isinstance(value, list) and int(index) < len(value) else None
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
