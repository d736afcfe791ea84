"""The tables of what rules know name what there is, once, and agree with what admits pods in the cluster."""

import re
from importlib.resources import files
from pathlib import Path

import yaml

from headroom.planning.collection import NAMESPACE as MONITORING
from headroom.planning.delivery import GATEWAY_NAMESPACE
from headroom.planning.kueue_release import NAMESPACE as KUEUE
from headroom.planning.kueue_release import kueue_configuration
from infra.components.cloud_quotas import _AS_IT_IS
from policies.known_types import (
    harmless_services,
    is_known_group,
    is_own_namespace,
    load_facts,
    machine_services,
)

BEFORE_VERSION_10 = {"gcp:notebooks"}


def test_every_service_in_the_tables_is_one_of_the_provider_and_in_one_table() -> None:
    """A name that is misspelt would let its service pass, or refuse it."""
    there = {f"gcp:{each.name}" for each in files("pulumi_gcp").iterdir() if each.is_dir()}
    named = {*machine_services(), *harmless_services()} - BEFORE_VERSION_10
    assert named <= there
    assert not set(machine_services()) & harmless_services()


def test_pods_are_let_into_the_namespaces_without_a_queue_that_the_rules_know(root: Path) -> None:
    """Q3: what one of them lets in, the other does too."""
    text = (root / "infra/manifests/admission/accelerators.yaml").read_text()
    policy, _ = yaml.safe_load_all(text)
    (expression,) = (
        row["expression"]
        for row in policy["spec"]["validations"]
        if "request.namespace in" in row["expression"]
    )
    for row in load_facts()["own_namespaces"]:
        assert f"'{row['name'].removesuffix('*')}'" in expression
    assert expression.count("'") == 2 * len(load_facts()["own_namespaces"])
    assert all(map(is_own_namespace, (MONITORING, GATEWAY_NAMESPACE, KUEUE, "kube-system")))
    assert not is_own_namespace("default")


IGNORED = re.compile(r"\bignore=(.+)")
SNAKE = re.compile(r"_([a-z])")


def test_what_the_program_ignores_is_left_to_others(root: Path) -> None:
    """A property that the tables do not have would refuse the project's own stacks, some only once they run."""
    left = {name for row in load_facts()["left_to_others"] for name in row["properties"]}
    found = set(_AS_IT_IS)
    for path in (root / "infra" / "components").glob("*.py"):
        for text in IGNORED.findall(path.read_text()):
            found |= {
                SNAKE.sub(lambda each: each[1].upper(), name) for name in re.findall(r'"([\w.]+)"', text)
            }
    assert {"nodeCount", "interval.startTime"} <= found
    assert found == left


def test_every_group_whose_work_kueue_admits_is_known() -> None:
    frameworks = kueue_configuration()["integrations"]["frameworks"]
    groups = {name.partition("/")[0] for name in frameworks if "." in name.partition("/")[0]}
    assert groups
    for group in groups:
        assert is_known_group(f"kubernetes:{group}/v1")
