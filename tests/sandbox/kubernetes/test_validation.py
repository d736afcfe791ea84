"""What an API server would refuse is refused, in its words, with the place."""

import copy

import pytest

from sandbox.kubernetes.kinds import find_kind, read_definition
from sandbox.kubernetes.validation import check_manifest
from sandbox.provider.wire import UNKNOWN
from tests.sandbox.kubernetes.conftest import manifest

KUEUE = "kueue.x-k8s.io/v1beta2"


def problems(api_version, kind, **parts):
    found = check_manifest(find_kind(api_version, kind), manifest(api_version, kind, "thing", **parts))
    return {each.path: each.reason for each in found}


def deployment(**container):
    return {
        "selector": {"matchLabels": {"app": "x"}},
        "template": {
            "metadata": {"labels": {"app": "x"}},
            "spec": {"containers": [{"name": "x", "image": "y", **container}]},
        },
    }


def queue(**spec):
    resources = [{"name": "cpu", "nominalQuota": "4"}]
    groups = [{"coveredResources": ["cpu"], "flavors": [{"name": "f", "resources": resources}]}]
    return {"resourceGroups": groups, "cohortName": "pool", **spec}


def test_sound_manifests_have_no_problems():
    assert problems("apps/v1", "Deployment", spec=deployment()) == {}
    assert problems(KUEUE, "ClusterQueue", spec=queue()) == {}
    assert problems("v1", "ConfigMap", data={"any": "thing"}) == {}


def test_a_field_that_the_schema_does_not_have_is_refused_with_the_nearest():
    """Q3: the provisioning check under its old name would be dropped without a word."""
    assert problems(KUEUE, "ClusterQueue", spec=queue(admissionChecks=["flex"])) == {
        "spec.admissionChecks": "unknown field; did you mean admissionChecksStrategy?"
    }


def test_a_wrong_type_is_refused():
    spec = deployment() | {"replicas": "3"}
    assert problems("apps/v1", "Deployment", spec=spec) == {
        "spec.replicas": 'Invalid value: "3": must be of type integer'
    }


def test_true_is_no_number():
    spec = deployment() | {"replicas": True}
    assert "spec.replicas" in problems("apps/v1", "Deployment", spec=spec)


def test_a_number_that_does_not_fit_is_refused():
    assert problems("apps/v1", "Deployment", spec=deployment() | {"replicas": 2**31 - 1}) == {}
    found = problems("apps/v1", "Deployment", spec=deployment() | {"replicas": 2**31})
    assert found["spec.replicas"].endswith("does not fit in int32")


def test_a_required_field_that_is_missing_is_refused():
    assert problems("apps/v1", "Deployment") == {}
    assert problems("apps/v1", "Deployment", spec={}) == {
        "spec.selector": "Required value",
        "spec.template": "Required value",
    }


@pytest.mark.parametrize(
    ("quantity", "is_sound"), [("500m", True), (2, True), ("1x", False), ("1 Gi", False)]
)
def test_a_quantity_that_does_not_parse_is_refused(quantity, is_sound):
    found = problems("apps/v1", "Deployment", spec=deployment(resources={"limits": {"cpu": quantity}}))
    path = "spec.template.spec.containers[0].resources.limits.cpu"
    assert list(found) == ([] if is_sound else [path])


def test_a_custom_resources_quantity_is_checked_by_its_pattern():
    spec = queue()
    spec["resourceGroups"][0]["flavors"][0]["resources"][0]["nominalQuota"] = "4x"
    (path,) = problems(KUEUE, "ClusterQueue", spec=spec)
    assert path == "spec.resourceGroups[0].flavors[0].resources[0].nominalQuota"


@pytest.mark.parametrize(("port", "is_sound"), [(80, True), ("http", True), (True, False), (1.5, False)])
def test_an_int_or_string_is_either(port, is_sound):
    ports = [{"port": 80, "targetPort": port}]
    assert (problems("v1", "Service", spec={"ports": ports}) == {}) is is_sound


def test_a_value_outside_an_enumeration_is_refused_with_those_inside():
    found = problems(KUEUE, "ClusterQueue", spec=queue(preemption={"reclaimWithinCohort": "any"}))
    assert found["spec.preemption.reclaimWithinCohort"] == (
        'Unsupported value: "any": supported values: "Never", "LowerPriority", "Any"'
    )


def test_bounds_hold_on_both_sides():
    groups = queue()["resourceGroups"]
    many = [copy.deepcopy(groups[0]) for _ in range(17)]
    assert "spec.resourceGroups" in problems(KUEUE, "ClusterQueue", spec=queue(resourceGroups=many))
    assert "spec.resourceGroups" not in problems(KUEUE, "ClusterQueue", spec=queue(resourceGroups=many[:16]))


def test_an_item_that_stands_twice_in_a_list_of_keys_is_refused():
    resources = [{"name": "cpu", "nominalQuota": "4"}] * 2
    spec = queue()
    spec["resourceGroups"][0]["flavors"][0]["resources"] = resources
    found = problems(KUEUE, "ClusterQueue", spec=spec)
    assert any("Duplicate value" in reason for reason in found.values())


def test_a_borrowing_limit_needs_a_cohort():
    spec = queue()
    spec["resourceGroups"][0]["flavors"][0]["resources"][0]["borrowingLimit"] = "4"
    assert problems(KUEUE, "ClusterQueue", spec=spec) == {}
    del spec["cohortName"]
    assert problems(KUEUE, "ClusterQueue", spec=spec) == {
        "spec": "Invalid value: borrowingLimit must be nil when cohort is empty"
    }


def test_each_flavor_has_each_covered_resource():
    spec = queue()
    spec["resourceGroups"][0]["coveredResources"].append("memory")
    assert list(problems(KUEUE, "ClusterQueue", spec=spec)) == ["spec.resourceGroups[0]"]


def test_borrowing_within_the_cohort_needs_reclaiming():
    sound = {"reclaimWithinCohort": "Any", "borrowWithinCohort": {"policy": "LowerPriority"}}
    assert problems(KUEUE, "ClusterQueue", spec=queue(preemption=sound)) == {}
    broken = sound | {"reclaimWithinCohort": "Never"}
    assert list(problems(KUEUE, "ClusterQueue", spec=queue(preemption=broken))) == ["spec.preemption"]


def test_what_is_unknown_is_taken_to_be_right():
    spec = queue(cohortName=UNKNOWN)
    spec["resourceGroups"][0]["flavors"][0]["resources"][0]["nominalQuota"] = UNKNOWN
    assert problems(KUEUE, "ClusterQueue", spec=spec) == {}
    assert problems(KUEUE, "ClusterQueue", spec=UNKNOWN) == {}
    assert check_manifest(find_kind("v1", "Namespace"), {"metadata": UNKNOWN}) == []


def test_a_definitions_own_schema_is_the_schema_of_its_objects():
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}}}},
    }
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": "Thing", "plural": "things"}
    spec = {"group": "acme.example", "scope": "Cluster", "names": names, "versions": [version]}
    (kind,) = read_definition({"spec": spec})
    sound = manifest("acme.example/v1", "Thing", "one", spec={"a": "x"})
    assert check_manifest(kind, sound) == []
    assert [each.path for each in check_manifest(kind, {**sound, "spec": {"b": "x"}})] == ["spec.b"]
