"""The Kubernetes provider of the sandbox through the real engine, without a cluster."""

import pytest

from sandbox.kubernetes.listing import drift, list_objects

PROGRAM = """
import pulumi
import pulumi_kubernetes as k8s

kubeconfig = '''
apiVersion: v1
kind: Config
current-context: dev
contexts: [{name: dev, context: {cluster: dev, user: dev}}]
clusters: [{name: dev, cluster: {server: "https://kubernetes.example"}}]
users: [{name: dev, user: {token: none}}]
'''
provider = k8s.Provider("dev", kubeconfig=kubeconfig, cluster_identifier="dev", delete_unreachable=True)
on_cluster = pulumi.ResourceOptions(provider=provider)
system = k8s.core.v1.Namespace("kueue-system", metadata={"name": "kueue-system"}, opts=on_cluster)
kueue = k8s.helm.v3.Release(
    "kueue",
    name="kueue",
    namespace=system.metadata.name,
    chart="oci://registry.k8s.io/kueue/charts/kueue",
    version="0.19.2",
    values={"controllerManager": {"replicas": 2}},
    opts=on_cluster,
)
team = k8s.core.v1.Namespace("team", metadata={"name": "team"}, opts=on_cluster)
k8s.core.v1.ResourceQuota(
    "team",
    metadata={"name": "team", "namespace": team.metadata.name},
    spec={"hard": {"requests.cpu": "4000m", "count/jobs.batch": "300"}},
    opts=on_cluster,
)
k8s.core.v1.Secret(
    "token",
    metadata={"namespace": team.metadata.name},
    string_data={"token": pulumi.Output.secret("hush-4c1")},
    opts=on_cluster,
)
resources = [{"name": "cpu", "nominalQuota": "4"}]
groups = [{"coveredResources": ["cpu"], "flavors": [{"name": "cpu", "resources": resources}]}]
queue = k8s.apiextensions.CustomResource(
    "team",
    api_version="kueue.x-k8s.io/v1beta2",
    kind="ClusterQueue",
    metadata={"name": "team"},
    spec={"cohortName": "pool", "namespaceSelector": {}, "resourceGroups": groups},
    opts=pulumi.ResourceOptions(provider=provider, depends_on=[kueue]),
)
pulumi.export("queue", queue.metadata["name"])
pulumi.export("revision", kueue.status["revision"])
"""
NAMESPACE = """
import pulumi
import pulumi_kubernetes as k8s
k8s.core.v1.Namespace("made", metadata={"name": "made", "labels": {"a": "b"}}, opts=OPTIONS)
"""


def edit(sandbox, old, new):
    program = sandbox.project / "infra" / "__main__.py"
    text = program.read_text()
    assert old in text
    program.write_text(text.replace(old, new))


def test_objects_are_made_stay_the_same_change_and_go(make_project):
    """Proves Q3 for the sandbox: quotas and queues as resources, and a second `up` that changes nothing."""
    sandbox = make_project(PROGRAM, dev="config: {}\n")
    assert sandbox.preview("dev").require_success().changes == {"create": 8}
    assert sandbox.up("dev").require_success().changes == {"create": 8}
    assert sandbox.outputs("dev") == {"queue": "team", "revision": 1}
    assert sandbox.refresh("dev", "--expect-no-changes").require_success().changes == {"same": 8}
    assert sandbox.up("dev", "--expect-no-changes").require_success().changes == {"same": 8}
    readable = [path for path in sandbox.sandbox.state.rglob("*.json*") if b"hush-4c1" in path.read_bytes()]
    assert readable == []

    edit(sandbox, '"nominalQuota": "4"', '"nominalQuota": "8"')
    edit(sandbox, '"replicas": 2', '"replicas": 3')
    assert sandbox.up("dev").require_success().changes == {"same": 6, "update": 2}
    assert sandbox.outputs("dev")["revision"] == 2

    assert sandbox.destroy("dev").require_success().changes == {"delete": 8}
    assert list_objects(sandbox.sandbox.cloud) == []


def test_what_the_schemas_refuse_fails_the_preview_with_the_field(make_project):
    sandbox = make_project(PROGRAM, dev="config: {}\n")
    edit(sandbox, '"namespaceSelector": {}', '"namespaceSelector": {}, "admissionChecks": ["flex"]')
    preview = sandbox.preview("dev")
    assert preview.exit_code != 0
    (error,) = [each for each in preview.errors if "spec.admissionChecks" in each]
    assert "unknown field; did you mean admissionChecksStrategy?" in error


def test_a_replaced_object_goes_first_where_its_name_stays(make_project):
    sandbox = make_project(PROGRAM, dev="config: {}\n")
    sandbox.up("dev").require_success()
    edit(sandbox, "hush-4c1", "hush-5d2")
    assert sandbox.up("dev").require_success().changes == {"same": 7, "replace": 1}
    edit(sandbox, 'metadata={"name": "team"},\n    spec', 'metadata={"name": "crew"},\n    spec')
    assert sandbox.up("dev").require_success().changes == {"same": 7, "replace": 1}
    names = {each.id for each in list_objects(sandbox.sandbox.cloud) if each.type.endswith("ClusterQueue")}
    assert names == {"crew"}


def test_a_change_by_hand_is_seen_by_a_refresh_and_a_conflict_until_it_is_taken_over(make_project):
    sandbox = make_project(PROGRAM, dev="config: {}\n")
    sandbox.up("dev").require_success()
    drift(sandbox.sandbox.cloud, "ClusterQueue", "team", "spec.cohortName", "other")
    refused = sandbox.up("dev", "--refresh")
    assert refused.exit_code != 0
    assert any('conflict with "kubectl-edit"' in error for error in refused.errors)
    edit(sandbox, "delete_unreachable=True", "delete_unreachable=True, enable_patch_force=True")
    sandbox.up("dev").require_success()
    assert sandbox.refresh("dev", "--expect-no-changes").require_success().changes == {"same": 8}


@pytest.mark.parametrize(
    ("options", "is_adopted"), [("None", False), ('pulumi.ResourceOptions(import_="made")', True)]
)
def test_an_object_that_is_there_already_is_imported_or_refused(make_project, options, is_adopted):
    text = NAMESPACE.replace("OPTIONS", "None")
    sandbox = make_project(text, dev="config: {}\n", prod="config: {}\n")
    sandbox.up("dev").require_success()
    edit(sandbox, "opts=None", f"opts={options}")
    second = sandbox.up("prod")
    if is_adopted:
        assert second.require_success().changes["import"] == 1
        edit(sandbox, f"opts={options}", "opts=None")
        assert sandbox.up("prod", "--expect-no-changes").require_success().changes == {"same": 2}
    else:
        assert any('namespaces "made" already exists' in error for error in second.errors)
