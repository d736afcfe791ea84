"""What is waited for, and until when."""

import pytest

from sandbox.kubernetes.readiness import ConditionError, judge
from tests.sandbox.kubernetes.conftest import manifest


def deployment(replicas=2, **status):
    found = manifest("apps/v1", "Deployment", "d", "team", spec={"replicas": replicas}, status=status)
    found["metadata"]["generation"] = 3
    return found


READY = {"observedGeneration": 3, "updatedReplicas": 2, "availableReplicas": 2}


@pytest.mark.parametrize(
    ("status", "is_ready"),
    [
        (READY, True),
        ({**READY, "observedGeneration": 2}, False),
        ({**READY, "updatedReplicas": 1}, False),
        ({**READY, "availableReplicas": 1}, False),
        ({}, False),
    ],
)
def test_a_deployment_is_ready_when_all_replicas_of_this_version_are_available(status, is_ready):
    assert judge({}, deployment(**status)).is_ready is is_ready


def test_a_deployment_past_its_deadline_has_failed():
    conditions = [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]
    assert judge({}, deployment(conditions=conditions)).has_failed


def test_nothing_is_waited_for_under_skip_await():
    inputs = {"metadata": {"annotations": {"pulumi.com/skipAwait": "true"}}}
    assert judge(inputs, deployment()).is_ready


CONDITION = {"type": "Complete", "status": "True"}
FAILED = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}


@pytest.mark.parametrize(
    ("live", "is_ready"),
    [
        (manifest("batch/v1", "Job", "j", status={"conditions": [CONDITION]}), True),
        (manifest("batch/v1", "Job", "j", status={"conditions": [FAILED]}), False),
        (manifest("batch/v1", "Job", "j"), False),
        (manifest("v1", "PersistentVolumeClaim", "c", status={"phase": "Bound"}), True),
        (manifest("v1", "PersistentVolumeClaim", "c", status={"phase": "Pending"}), False),
        (manifest("v1", "Service", "s", spec={"type": "LoadBalancer"}), False),
        (manifest("v1", "Service", "s", spec={"type": "ClusterIP"}), True),
        (
            manifest("v1", "ResourceQuota", "q", spec={"hard": {"cpu": "1"}}, status={"hard": {"cpu": "1"}}),
            True,
        ),
        (manifest("v1", "ResourceQuota", "q", spec={"hard": {"cpu": "1"}}, status={}), False),
        (manifest("v1", "Secret", "s", type="kubernetes.io/service-account-token"), False),
        (manifest("v1", "Secret", "s", type="Opaque"), True),
        (manifest("apiextensions.k8s.io/v1", "CustomResourceDefinition", "x"), False),
        (manifest("apps/v1", "DaemonSet", "d", status={"desiredNumberScheduled": 1}), False),
        (manifest("apps/v1", "StatefulSet", "d", spec={"replicas": 0}), True),
        (manifest("v1", "Pod", "p", status={"phase": "Succeeded"}), True),
        (manifest("v1", "PersistentVolume", "v", status={"phase": "Available"}), True),
        (manifest("v1", "ConfigMap", "c"), True),
        (manifest("kueue.x-k8s.io/v1beta2", "ClusterQueue", "q"), True),
    ],
)
def test_each_kind_is_ready_by_its_own_signs(live, is_ready):
    assert judge({}, live).is_ready is is_ready


@pytest.mark.parametrize(
    ("expression", "is_ready"),
    [
        ("condition=Active", True),
        ("condition=Active=True", True),
        ("condition=Active=False", False),
        ("condition=Missing", False),
        ("jsonpath={.status.phase}=Up", True),
        ("jsonpath={.status.phase}=Down", False),
        ("jsonpath={.status.conditions[0].type}", True),
        ("jsonpath={.status.missing}", False),
        ('["condition=Active", "jsonpath={.status.phase}=Up"]', True),
        ('["condition=Active", "jsonpath={.status.phase}=Down"]', False),
    ],
)
def test_the_annotation_wait_for_says_when(expression, is_ready):
    live = manifest("acme.example/v1", "Thing", "t")
    live["metadata"]["annotations"] = {"pulumi.com/waitFor": expression}
    live["status"] = {"phase": "Up", "conditions": [{"type": "Active", "status": "True"}]}
    assert judge({}, live).is_ready is is_ready


def test_an_annotation_that_cannot_be_read_is_named():
    live = manifest("v1", "ConfigMap", "t")
    live["metadata"]["annotations"] = {"pulumi.com/waitFor": "ready"}
    with pytest.raises(ConditionError, match='expected a "jsonpath=" or "condition=" prefix, got "ready"'):
        judge({}, live)
