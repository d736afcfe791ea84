"""Who owns which fields, and what follows from it."""

from sandbox.kubernetes.ownership import adopt_fields, has_creator, keep_ignored, list_leaves


def entry(manager, operation="Update", **fields):
    return {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": fields}


def test_what_the_provider_created_becomes_the_resources_own():
    managed = [entry("pulumi-kubernetes", **{"f:spec": {"f:a": {}}}), entry("controller", **{"f:status": {}})]
    assert adopt_fields(managed, "mine") == [managed[1], entry("mine", "Apply", **{"f:spec": {"f:a": {}}})]


def test_what_the_resource_owned_already_is_kept_beside_it():
    managed = [entry("mine", "Apply", **{"f:spec": {"f:b": {}}}), entry("kubectl", **{"f:spec": {"f:a": {}}})]
    (own,) = adopt_fields(managed, "mine") or []
    assert own["fieldsV1"] == {"f:spec": {"f:a": {}, "f:b": {}}}


def test_fields_of_people_and_controllers_are_left_to_them():
    assert adopt_fields([entry("kubectl-edit"), entry("mine", "Apply")], "mine") is None
    assert not has_creator([entry("kubectl-edit"), entry("kubectl")])
    assert has_creator([entry("pulumi-kubernetes")])


def test_ignored_fields_of_others_are_not_applied_and_own_ones_stay_as_they_are():
    managed = [entry("hpa", **{"f:spec": {"f:replicas": {}}})]
    live = {"metadata": {"managedFields": managed}, "spec": {"replicas": 9, "paused": True}}
    wanted = {"metadata": {}, "spec": {"replicas": 1, "paused": False, "x": 1}}
    kept = keep_ignored(wanted, live, ("spec.replicas", "spec.paused", "spec.missing"), "mine")
    assert kept["spec"] == {"paused": True, "x": 1}


def test_leaves_have_the_paths_that_conflicts_name():
    leaves = dict(list_leaves({"spec": {"a": 1, "b": {"c": [2]}}}))
    assert leaves == {".spec.a": 1, ".spec.b.c": [2]}
