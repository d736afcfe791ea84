"""The data files hold what they say, and the imitated rules are still rules of the schemas."""

import json
import re
from pathlib import Path

import pytest
import yaml

from sandbox.kubernetes import schemas
from sandbox.kubernetes.charts import find_chart
from sandbox.kubernetes.differences import load_immutable
from sandbox.kubernetes.kinds import ORIGINS, load_file, load_kinds
from sandbox.kubernetes.recorded import load_facts
from sandbox.kubernetes.rules import IMMUTABLE, RULES

FOLDER = Path(schemas.__file__).parent
CORE = [
    "Namespace",
    "ResourceQuota",
    "LimitRange",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "Service",
    "Role",
    "RoleBinding",
    "ClusterRole",
    "ClusterRoleBinding",
    "NetworkPolicy",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "PodDisruptionBudget",
    "HorizontalPodAutoscaler",
    "PriorityClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "CustomResourceDefinition",
]
KUEUE = [
    "AdmissionCheck",
    "ClusterQueue",
    "Cohort",
    "LocalQueue",
    "ProvisioningRequestConfig",
    "ResourceFlavor",
    "Topology",
    "Workload",
    "WorkloadPriorityClass",
]
OTHERS = ["PodMonitoring", "ClusterPodMonitoring", "Gateway", "HTTPRoute", "ProvisioningRequest"]


def test_every_kind_that_a_platform_uses_has_a_schema():
    names = {name for _, name in load_kinds()}
    assert {*CORE, *KUEUE, *OTHERS} <= names
    assert all(kind.schema["properties"]["metadata"] for kind in load_kinds().values())


@pytest.mark.parametrize("name", [*ORIGINS, "charts"])
def test_each_file_says_where_its_content_comes_from(name):
    row = yaml.safe_load((FOLDER / "sources.yaml").read_text())[name]
    content = load_file(name)
    assert {key: str(value) for key, value in row.items() if key != "types"}.items() <= {
        key: str(value) for key, value in content.items()
    }.items()


def test_every_reference_leads_to_a_definition():
    for kind in load_kinds().values():
        for name in re.findall(r'"\$ref": "([^"]+)"', json.dumps(kind.schema)):
            assert name in kind.definitions, (kind, name)


def test_the_imitated_rules_stand_in_the_schemas():
    text = {json.loads(f'"{found}"') for found in re.findall(r'"rule": "((?:[^"\\]|\\.)*)"', _all_text())}
    assert {*RULES, IMMUTABLE} <= text


def _all_text():
    return "".join((FOLDER / f"{name}.json").read_text() for name in ORIGINS)


def test_the_chart_and_the_schemas_of_kueue_are_of_one_version():
    chart = find_chart("oci://registry.k8s.io/kueue/charts/kueue", "0.19.2")
    assert chart is not None
    assert f"v{chart.version}" == load_file("kueue")["version"] == load_file("charts")["version"]
    assert chart.groups == ("kueue.x-k8s.io",)


def test_facts_name_kinds_and_origins_that_there_are():
    kinds = {f"{kind.group}/{kind.name}" for kind in load_kinds().values()}
    assert {*load_immutable()} <= kinds
    facts = load_facts()
    assert {*facts["gke"], *facts["charts"].values()} <= set(ORIGINS)
    assert {f"{group}/{name}" for group, names in facts["rewritten"].items() for name in names} <= kinds
