"""Every rule of the CIS GKE Benchmark 1.9 that a property can meet is met by default, in both stacks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headroom.planning.node_identity import NODE_ROLES
from headroom.planning.plan import Plan, plan_config
from headroom.spec.stack_file import load_config
from tests.mocks import Registered

ROOT = Path(__file__).resolve().parents[2]

CLUSTER: dict[str, tuple[str, Any]] = {
    "5.2.2 Workload Identity": ("workloadIdentityConfig.workloadPool", str),
    "5.3.1 secrets encrypted": ("databaseEncryption.state", "ENCRYPTED"),
    "5.5.4 release channel": ("releaseChannel.channel", str),
    "5.5.5 shielded nodes": ("enableShieldedNodes", True),
    "5.6.1 intranode visibility": ("enableIntranodeVisibility", True),
    "5.6.2 VPC-native": ("ipAllocationPolicy.clusterSecondaryRangeName", "pods"),
    "5.6.3 authorized networks, none public": (
        "masterAuthorizedNetworksConfig.gcpPublicCidrsAccessEnabled",
        False,
    ),
    "5.6.4 DNS endpoint": ("controlPlaneEndpointsConfig.dnsEndpointConfig.allowExternalTraffic", True),
    "5.6.4 no public endpoint": ("privateClusterConfig.enablePrivateEndpoint", True),
    "5.6.5 private nodes": ("privateClusterConfig.enablePrivateNodes", True),
    "5.7.1 logging": ("loggingConfig.enableComponents.0", "SYSTEM_COMPONENTS"),
    "5.7.1 monitoring": ("monitoringConfig.enableComponents.0", "SYSTEM_COMPONENTS"),
    "5.8.1 no client certificate": ("masterAuth.clientCertificateConfig.issueClientCertificate", False),
    "5.8.3 no ABAC": ("enableLegacyAbac", False),
    "5.10.2 no alpha": ("enableKubernetesAlpha", False),
    "5.10.4 security posture": ("securityPostureConfig.mode", "BASIC"),
    "4.3.1 Dataplane V2": ("datapathProvider", "ADVANCED_DATAPATH"),
    "5.1.4 Binary Authorization": ("binaryAuthorization.evaluationMode", "PROJECT_SINGLETON_POLICY_ENFORCE"),
    "4.1.9 no binding to authenticated": (
        "rbacBindingConfig.enableInsecureBindingSystemAuthenticated",
        False,
    ),
    "4.1.10 no binding to unauthenticated": (
        "rbacBindingConfig.enableInsecureBindingSystemUnauthenticated",
        False,
    ),
    "CKV_GCP_21 labels": ("resourceLabels.managed-by", "headroom"),
}
POOL: dict[str, tuple[str, Any]] = {
    "5.2.1 no default service account": ("nodeConfig.serviceAccount", str),
    "5.4.1 metadata server": ("nodeConfig.workloadMetadataConfig.mode", "GKE_METADATA"),
    "5.5.1 Container-Optimized OS": ("nodeConfig.imageType", "COS_CONTAINERD"),
    "5.5.3 auto-upgrade": ("management.autoUpgrade", True),
    "5.5.6 integrity monitoring": ("nodeConfig.shieldedInstanceConfig.enableIntegrityMonitoring", True),
    "5.5.7 secure boot": ("nodeConfig.shieldedInstanceConfig.enableSecureBoot", True),
    "5.9.2 boot disk under a key of one's own": ("nodeConfig.bootDiskKmsKey", str),
    "4.2.4 no read-only kubelet port": (
        "nodeConfig.kubeletConfig.insecureKubeletReadonlyPortEnabled",
        "FALSE",
    ),
    "5.6.5 private nodes": ("networkConfig.enablePrivateNodes", True),
}
SUBNET: dict[str, tuple[str, Any]] = {
    "5.6.1 flow logs": ("logConfig.metadata", "INCLUDE_ALL_METADATA"),
    "CKV_GCP_74 private Google access": ("privateIpGoogleAccess", True),
}


@pytest.fixture(params=["dev", "prod"])
def graph(
    request: pytest.FixtureRequest, run_program: Callable[[Plan], list[Registered]]
) -> list[Registered]:
    return run_program(plan_config(load_config(ROOT / f"Pulumi.{request.param}.yaml"), request.param, "f"))


def value_at(inputs: Any, path: str) -> Any:
    for part in path.split("."):
        inputs = inputs[int(part)] if isinstance(inputs, list) else inputs.get(part)
    return inputs


@pytest.mark.parametrize(
    ("kind", "rules"),
    [("Cluster", CLUSTER), ("NodePool", POOL), ("Subnetwork", SUBNET)],
)
def test_the_rules_are_met(graph: list[Registered], kind: str, rules: dict[str, tuple[str, Any]]) -> None:
    resources = [
        each
        for each in graph
        if each.type.startswith("gcp:")
        and each.type.endswith(f":{kind}")
        # A subnet of load balancers' proxies takes neither: Google refuses them there.
        and each.inputs.get("purpose") != "REGIONAL_MANAGED_PROXY"
    ]
    assert resources
    for resource in resources:
        for rule, (path, wanted) in rules.items():
            found = value_at(resource.inputs, path)
            met = isinstance(found, wanted) and found if isinstance(wanted, type) else found == wanted
            assert met, f"{resource.name}: {rule}: {path} is {found}"


def test_auto_repair_is_on_but_where_flex_start_forbids_it(graph: list[Registered]) -> None:
    """5.5.2."""
    for pool in (each for each in graph if each.type.endswith(":NodePool")):
        flex_start = pool.inputs["nodeConfig"].get("flexStart", False)
        assert pool.inputs["management"]["autoRepair"] is not flex_start


def test_nothing_is_open_to_the_internet(graph: list[Registered]) -> None:
    for rule in (each for each in graph if each.type.endswith(":Firewall")):
        assert all(source.startswith("10.") for source in rule.inputs["sourceRanges"])
        assert rule.inputs["targetServiceAccounts"]


def test_nodes_have_five_roles_and_no_key(graph: list[Registered]) -> None:
    granted = [
        each.inputs["role"]
        for each in graph
        if each.type.endswith(":IAMMember") and "-nodes@" in each.inputs["member"]
    ]
    assert sorted(granted) == [f"roles/{role}" for role in NODE_ROLES]
    assert len(NODE_ROLES) == 5
    assert not any(each.type.endswith(":Key") for each in graph)
    assert not any(word in role for role in granted for word in ("admin", "owner", "editor"))


def test_production_is_protected_and_development_is_not(graph: list[Registered]) -> None:
    cluster = next(each for each in graph if each.type.endswith(":Cluster") and each.type.startswith("gcp:"))
    protected = {each.type.rsplit(":", 1)[-1] for each in graph if each.options.get("protect")}
    if cluster.inputs["deletionProtection"]:
        assert protected == {
            "Cluster",
            "CryptoKey",
            "KeyRing",
            "Network",
            "Release",
            "Repository",
            "Subnetwork",
        }
        assert len(cluster.inputs["nodeLocations"]) >= 2
        assert cluster.inputs["maintenancePolicy"]
        assert all(each.options.get("before_delete") for each in graph if each.type.endswith(":NodePool"))
    else:
        assert protected == set()


def test_groups_rbac_is_set_where_a_group_is_named(run_program: Callable[[Plan], list[Registered]]) -> None:
    """5.8.2."""
    config = load_config(ROOT / "Pulumi.dev.yaml")
    config["headroom:cluster"]["security_group"] = "gke-security-groups@acme.example"
    graph = run_program(plan_config(config, "dev", "f"))
    cluster = next(each for each in graph if each.type == "gcp:container/cluster:Cluster")
    assert cluster.inputs["authenticatorGroupsConfig"] == {
        "securityGroup": "gke-security-groups@acme.example"
    }


def test_nodes_may_read_the_certificates_of_private_registries_and_nothing_else(
    run_program: Callable[[Plan], list[Registered]],
) -> None:
    config = load_config(ROOT / "Pulumi.dev.yaml")
    secret = "projects/123456789012/secrets/registry-ca"
    config["headroom:cluster"]["private_registries"] = {"registry.acme.example": f"{secret}/versions/3"}
    graph = run_program(plan_config(config, "dev", "f"))
    (grant,) = (each for each in graph if each.type.endswith(":SecretIamMember"))
    assert grant.inputs["secretId"] == secret
    assert grant.inputs["role"] == "roles/secretmanager.secretAccessor"
    assert any(each.name == "dev-secretmanager" for each in graph)
    for pool in (each for each in graph if each.type.endswith(":NodePool")):
        access = pool.inputs["nodeConfig"]["containerdConfig"]["privateRegistryAccessConfig"]
        (domain,) = access["certificateAuthorityDomainConfigs"]
        assert domain["fqdns"] == ["registry.acme.example"]
        assert domain["gcpSecretManagerCertificateConfig"]["secretUri"] == f"{secret}/versions/3"
