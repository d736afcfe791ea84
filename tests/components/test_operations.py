"""What the platform runs for itself, as the engine is asked for it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from headroom.catalog.facts import load_facts
from headroom.planning.operations import NAMESPACE
from headroom.planning.plan import Plan, plan_config
from headroom.spec.stack_file import load_config
from sandbox.kubernetes.kinds import find_kind
from sandbox.kubernetes.validation import check_manifest
from tests.components.test_collection import mebibytes
from tests.components.test_queues import depends, of_kind
from tests.mocks import NUMBER, Registered

Run = Callable[[Plan], list[Registered]]
IMAGE = "us-central1-docker.pkg.dev/acme-ml-dev/tools/headroom@sha256:" + "a1" * 32
MEMBER = (
    f"principal://iam.googleapis.com/projects/{NUMBER}/locations/global/workloadIdentityPools/"
    "acme-ml-dev.svc.id.goog/subject/ns/headroom-operations/sa/audit"
)
PRIVATE = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"}


def planned(root: Path, **audit: Any) -> Plan:
    config = load_config(root / "Pulumi.dev.yaml")
    return plan_config(config | {"headroom:operations": {"image": IMAGE, "audit": audit}}, "dev", "f")


@pytest.fixture
def graph(root: Path, run_program: Run) -> list[Registered]:
    return run_program(planned(root))


def own(graph: list[Registered]) -> list[Registered]:
    return [each for each in graph if each.options.get("parent") == "dev-operations"]


def job(graph: list[Registered]) -> dict[str, Any]:
    return of_kind(graph, "CronJob")["audit"].inputs["spec"]


def pod(graph: list[Registered]) -> dict[str, Any]:
    return job(graph)["jobTemplate"]["spec"]["template"]["spec"]


def test_a_stack_without_the_section_has_none_of_it(root: Path, run_program: Run) -> None:
    whole = run_program(plan_config(load_config(root / "Pulumi.dev.yaml"), "dev", "f"))
    assert own(whole) == []
    assert not [each for each in whole if each.type == "gcp:storage/bucket:Bucket"]


def test_the_api_server_has_nothing_to_say_against_any_object(graph: list[Registered]) -> None:
    objects = [each for each in own(graph) if each.type.startswith("kubernetes:")]
    assert len(objects) == 8
    for each in objects:
        kind = find_kind(each.inputs["apiVersion"], each.inputs["kind"])
        assert kind is not None, each.name
        # On the wire of the engine every number is a float.
        manifest = json.loads(json.dumps(each.inputs), parse_float=lambda text: int(float(text)))
        assert check_manifest(kind, manifest) == [], each.name


def test_the_audit_runs_by_itself_one_at_a_time_and_ends(graph: list[Registered]) -> None:
    """Q8: at any time, by a job."""
    spec = job(graph)
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == (
        "23 5 * * *",
        "Etc/UTC",
        "Forbid",
    )
    assert spec["successfulJobsHistoryLimit"] == spec["failedJobsHistoryLimit"] == 3
    run = spec["jobTemplate"]["spec"]
    assert run["activeDeadlineSeconds"] == spec["startingDeadlineSeconds"] == 900
    assert (run["parallelism"], run["completions"]) == (1, 1)


def test_a_schedule_of_the_stack_files_is_that_of_the_job(root: Path, run_program: Run) -> None:
    assert job(run_program(planned(root, schedule="0 6 * * 1")))["schedule"] == "0 6 * * 1"


def test_only_an_audit_that_somebody_did_not_answer_is_tried_again(graph: list[Registered]) -> None:
    """Findings are told by exit code 1, and would be found again."""
    run = job(graph)["jobTemplate"]["spec"]
    lost, ended = run["podFailurePolicy"]["rules"]
    assert lost["onPodConditions"] == [{"type": "DisruptionTarget"}]
    assert ended["onExitCodes"] == {"containerName": "headroom", "operator": "NotIn", "values": [3]}
    assert pod(graph)["containers"][0]["name"] == "headroom"
    assert run["backoffLimit"] == 2


def test_the_job_is_confined_as_pod_security_restricts(graph: list[Registered]) -> None:
    labels = of_kind(graph, "Namespace")[NAMESPACE].inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert "headroom/kind" not in labels, "Kueue would suspend it"
    assert pod(graph)["securityContext"]["runAsNonRoot"] is True
    (container,) = pod(graph)["containers"]
    assert container["image"] == IMAGE
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_job_runs_on_the_system_pool_and_within_its_quota(graph: list[Registered]) -> None:
    """Q3."""
    assert pod(graph)["nodeSelector"] == {"headroom/pool": "system"}
    (toleration,) = pod(graph)["tolerations"]
    assert toleration["key"] == "components.gke.io/gke-managed-components"
    hard = of_kind(graph, "ResourceQuota")[NAMESPACE].inputs["spec"]["hard"]
    (container,) = pod(graph)["containers"]
    assert mebibytes(container["resources"]["limits"]["memory"]) <= mebibytes(hard["limits.memory"])
    assert int(container["resources"]["requests"]["cpu"][:-1]) <= int(hard["requests.cpu"][:-1])


def ports(rule: dict[str, Any]) -> set[tuple[str, int]]:
    return {(each["protocol"], each["port"]) for each in rule["ports"]}


def test_nothing_comes_in_and_out_go_names_tokens_public_addresses_and_the_api_server(
    graph: list[Registered],
) -> None:
    spec = of_kind(graph, "NetworkPolicy")[NAMESPACE].inputs["spec"]
    assert spec["podSelector"] == {}
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in spec
    names, tokens, public, api_server = spec["egress"]
    assert names["to"] == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        },
        {"ipBlock": {"cidr": "169.254.20.10/32"}},
    ]
    assert ports(names) == {("UDP", 53), ("TCP", 53)}
    assert tokens["to"] == [{"ipBlock": {"cidr": f"169.254.169.{last}/32"}} for last in (254, 252)]
    assert ports(tokens) == {("TCP", 80), ("TCP", 988)}
    (block,) = (each["ipBlock"] for each in public["to"])
    assert block["cidr"] == "0.0.0.0/0"
    assert set(block["except"]) == PRIVATE
    assert ports(public) == ports(api_server) == {("TCP", 443)}


def test_the_api_server_is_where_the_network_has_it(root: Path, run_program: Run) -> None:
    plan = planned(root)
    policy = of_kind(run_program(plan), "NetworkPolicy")[NAMESPACE].inputs["spec"]
    assert policy["egress"][-1]["to"] == [{"ipBlock": {"cidr": plan.network.control_plane}}]


def test_its_account_may_look_in_the_project_and_in_the_cluster(graph: list[Registered]) -> None:
    (row,) = (row for group in load_facts("operations") for row in group["jobs"] if row["name"] == "audit")
    members = [each for each in own(graph) if each.type == "gcp:projects/iAMMember:IAMMember"]
    assert {each.inputs["role"] for each in members} == {f"roles/{role}" for role in row["roles"]}
    assert {each.inputs["member"] for each in members} == {MEMBER}
    assert pod(graph)["serviceAccountName"] == "audit"
    assert of_kind(graph, "ServiceAccount")["audit"].inputs["automountServiceAccountToken"] is False
    binding = of_kind(graph, "ClusterRoleBinding")["headroom-audit"].inputs
    assert binding["roleRef"]["name"] == "headroom-audit"
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "audit", "namespace": NAMESPACE}]
    rules = of_kind(graph, "ClusterRole")["headroom-audit"].inputs["rules"]
    assert {verb for rule in rules for verb in rule["verbs"]} == {"list"}
    assert {kind for rule in rules for kind in rule["resources"]} == {
        "nodes", "pods", "clusterqueues", "cohorts", "localqueues",
    }  # fmt: skip


def test_reports_go_into_a_bucket_of_their_own_which_the_job_alone_adds_to(graph: list[Registered]) -> None:
    (bucket,) = (each for each in graph if each.type == "gcp:storage/bucket:Bucket")
    assert bucket.inputs["uniformBucketLevelAccess"] is True
    assert bucket.inputs["publicAccessPrevention"] == "enforced"
    assert bucket.inputs["versioning"] == {"enabled": True}
    (rule,) = bucket.inputs["lifecycleRules"]
    assert (rule["action"]["type"], rule["condition"]["age"]) == ("Delete", 400)
    assert bucket.options["keep"]
    roles = {
        each.inputs["role"]: each.inputs["member"]
        for each in graph
        if each.type == "gcp:storage/bucketIAMMember:BucketIAMMember"
    }
    assert roles == {"roles/storage.objectCreator": MEMBER, "roles/storage.objectViewer": MEMBER}
    (reports,) = (each for each in pod(graph)["containers"][0]["env"] if each["name"] == "REPORTS")
    assert reports["value"] == "dev-reports-0a1b2c3"


def test_reports_are_kept_as_long_as_the_stack_file_says(root: Path, run_program: Run) -> None:
    graph = run_program(planned(root, keep_days=60))
    (bucket,) = (each for each in graph if each.type == "gcp:storage/bucket:Bucket")
    assert bucket.inputs["lifecycleRules"][0]["condition"]["age"] == 60


def test_in_production_the_bucket_is_protected(root: Path, run_program: Run) -> None:
    config = load_config(root / "Pulumi.prod.yaml") | {"headroom:operations": {"image": IMAGE, "audit": {}}}
    graph = run_program(plan_config(config, "prod", "f"))
    (bucket,) = (each for each in graph if each.type == "gcp:storage/bucket:Bucket")
    assert bucket.options["protect"]


def test_every_file_that_the_command_names_is_mounted_where_it_looks(graph: list[Registered]) -> None:
    (container,) = pod(graph)["containers"]
    data = of_kind(graph, "ConfigMap")["project"].inputs["data"]
    items = {each["path"]: each["key"] for each in pod(graph)["volumes"][0]["configMap"]["items"]}
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert set(items.values()) == set(data)
    kubeconfig = container["args"][container["args"].index("--kubeconfig") + 1]
    assert kubeconfig == f"{mounts['project']}/cluster.yaml"
    assert container["workingDir"] == f"{mounts['project']}/project"
    assert {"project/Pulumi.yaml", "project/Pulumi.dev.yaml", "cluster.yaml"} <= set(items)
    assert {each["name"]: each["value"] for each in container["env"]}["HOME"] == mounts["scratch"]


def test_the_way_to_the_api_server_is_a_kubeconfig_that_the_client_takes(
    graph: list[Registered], tmp_path: Path
) -> None:
    from headroom.live.kueue import open_kubeconfig

    data = of_kind(graph, "ConfigMap")["project"].inputs["data"]["cluster.yaml"]
    (tmp_path / "token").write_text("a-token")
    (tmp_path / "ca.crt").write_text("")
    content = data.replace("/var/run/secrets/kubernetes.io/serviceaccount", str(tmp_path))
    assert content != data
    path = tmp_path / "cluster.yaml"
    path.write_text(content.replace(f"      certificate-authority: {tmp_path}/ca.crt\n", ""))
    client = open_kubeconfig(path, None)
    assert client.configuration.host == "https://kubernetes.default.svc"
    assert "a-token" in str(client.configuration.api_key)
    (cluster,) = yaml.safe_load(data)["clusters"]
    assert cluster["cluster"]["certificate-authority"].startswith("/var/run/secrets/")


def test_a_job_comes_when_all_that_it_needs_is_there(graph: list[Registered]) -> None:
    needed = depends(graph, of_kind(graph, "CronJob")["audit"])
    assert {
        "dev-project-operations", "dev-access-audit", "dev-audit-reports-creator", "dev-audit-monitoring-viewer",
        "dev-namespace-headroom-operations",
    } <= set(needed)  # fmt: skip


def test_the_job_that_approves_rollbacks_reaches_no_object_of_the_cluster(
    root: Path, run_program: Run
) -> None:
    """D8: its account may approve and write metrics, and nothing else that changes anything."""
    config = load_config(root / "Pulumi.prod.yaml")
    asked = config | {"headroom:operations": {"image": IMAGE, "rollbacks": {}}}
    graph = run_program(plan_config(asked, "prod", "f"))
    spec = of_kind(graph, "CronJob")["rollbacks"].inputs["spec"]
    assert spec["schedule"] == "* * * * *"
    run = spec["jobTemplate"]["spec"]["template"]["spec"]
    assert run["automountServiceAccountToken"] is False
    assert run["containers"][0]["args"] == ["release", "approve-rollbacks", "--stack", "prod", "--record"]
    assert not {"headroom-rollbacks"} & {
        *of_kind(graph, "ClusterRole"),
        *of_kind(graph, "ClusterRoleBinding"),
    }
    grants = {
        each.name: each.inputs["role"]
        for each in graph
        if each.type == "gcp:projects/iAMMember:IAMMember" and each.inputs["member"].endswith("/sa/rollbacks")
    }
    (role,) = (each for each in graph if each.inputs.get("roleId") == "prod_model_returner")
    assert set(grants) == {
        "prod-rollbacks-monitoring-metricwriter",
        "prod-rollbacks-returner",
        "prod-rollbacks-serviceusage-serviceusageconsumer",
    }
    changing = {each for each in role.inputs["permissions"] if not each.endswith((".get", ".list"))}
    assert changing == {"clouddeploy.deployPolicies.override"}
    approving = {
        each.type.rpartition(":")[2]: each.inputs["role"]
        for each in graph
        if each.name.endswith("fraud-serving-approver-rollbacks")
        or each.name.endswith("fraud-serving-target-approver-rollbacks")
    }
    assert approving == dict.fromkeys(
        ("DeliveryPipelineIamMember", "TargetIamMember"), "roles/clouddeploy.approver"
    )
