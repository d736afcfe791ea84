"""M17: logs arrive where their owners, and nobody else, can read them, and are kept for their time."""

from typing import Any

import pytest

from headroom.planning.logging import plan_logging
from headroom.spec.stack_file import parse_config
from tests.conftest import MINIMAL
from tests.mocks import Registered, record

ADS, RISK = "group:Ads-ML@acme.dev", "user:ada@acme.dev"
LIMITS = {"cpu": {"cpu": {"guarantee": 1, "cap": 2}, "memory": {"guarantee": "1Gi", "cap": "2Gi"}}}
ARCHIVE = "storage.googleapis.com/acme-log-archive"
DATASET = "bigquery.googleapis.com/projects/acme-warehouse/datasets/pipeline_logs"


def pipeline(owner: str) -> dict[str, Any]:
    return {"kind": "data", "model": "m", "owner": owner, "limits": LIMITS}


def build(logging: dict[str, Any] | None = None, tier: str = "development") -> list[Registered]:
    """The resources of the component alone, for three pipelines of two owners."""
    config = MINIMAL | {
        "headroom:environment": {"tier": tier},
        "headroom:pipelines": {"ads-data": pipeline(ADS), "ads-more": pipeline(ADS), "risk": pipeline(RISK)},
        "headroom:logging": logging or {},
    }
    plan = plan_logging(parse_config(config, "f"), "test")

    async def main() -> None:
        import pulumi_gcp as gcp

        from headroom.planning.encryption import EncryptionPlan
        from infra.components.base import Scope
        from infra.components.encryption import Encryption
        from infra.components.logging import Logging
        from infra.components.services import Services
        from infra.retries import retry_hook

        scope = Scope(
            "test",
            "acme-ml-test",
            "us-central1",
            protected=tier == "production",
            provider=gcp.Provider("test-google", project="acme-ml-test"),
            retry=retry_hook(),
        )
        apis = ("compute", "container", "cloudkms", "logging", "bigquery")
        services = Services(scope, apis if plan.dataset else apis[:-1])
        encryption = Encryption(scope, EncryptionPlan("HSM", 7_776_000), services)
        await Logging(scope, plan, encryption, services).registered()

    return [each for each in record("test", main) if each.options.get("parent") == "test-logging"]


def of_type(graph: list[Registered], kind: str) -> dict[str, Registered]:
    return {each.name: each for each in graph if each.type.endswith(f":{kind}")}


@pytest.fixture(scope="module")
def graph() -> list[Registered]:
    return build()


def test_each_owner_reads_the_view_of_the_own_bucket_and_nobody_any_other(graph: list[Registered]) -> None:
    """M17."""
    bindings = of_type(graph, "LogViewIamBinding")
    readers = {binding.inputs["bucket"]: binding.inputs["members"] for binding in bindings.values()}
    assert sorted(readers.values()) == [["group:ads-ml@acme.dev"], ["user:ada@acme.dev"]]
    assert all(name.startswith(("test-logs-ads-ml-", "test-logs-ada-")) for name in readers)
    assert {binding.inputs["role"] for binding in bindings.values()} == {"roles/logging.viewAccessor"}
    for name, binding in bindings.items():
        assert binding.inputs["name"] == f"{name}-id", "the binding is on the view"
    assert set(of_type(graph, "LogView")) == set(bindings)


def test_a_further_pipeline_of_a_known_owner_adds_no_resource(graph: list[Registered]) -> None:
    kinds = [each.type.rpartition(":")[2] for each in graph]
    assert kinds.count("ProjectBucketConfig") == 4, "two owners, the cluster, audit"
    assert kinds.count("ProjectSink") == 4
    assert kinds.count("LogView") == kinds.count("LogViewIamBinding") == 2


def test_buckets_are_never_deleted_with_the_logs_in_them(graph: list[Registered]) -> None:
    """M17: what was to be kept for its time is kept when its pipeline goes, and at `destroy`."""
    for bucket in of_type(graph, "ProjectBucketConfig").values():
        assert bucket.inputs["deletionPolicy"] == "ABANDON"
        assert bucket.inputs["bucketId"] == bucket.name, "the same name adopts it again"


@pytest.mark.parametrize(("tier", "days"), [("development", 30), ("production", 90)])
def test_logs_are_kept_for_as_long_as_the_tier_wants_and_audit_logs_for_400_days(
    tier: str, days: int
) -> None:
    """M17."""
    kept = {
        name: bucket.inputs["retentionDays"]
        for name, bucket in of_type(build(tier=tier), "ProjectBucketConfig").items()
    }
    assert kept.pop("test-logs-audit") == 400
    assert set(kept.values()) == {days}


def test_what_cannot_be_taken_back_is_only_done_where_it_is_asked_for(graph: list[Registered]) -> None:
    for bucket in of_type(graph, "ProjectBucketConfig").values():
        assert not bucket.inputs.keys() & {"locked", "enableAnalytics", "cmekSettings"}
    asked = build(
        {"locked_days": 30, "analytics": True, "audit": {"retention_days": 365, "locked_days": 365}}
    )
    for bucket in of_type(asked, "ProjectBucketConfig").values():
        assert bucket.inputs["locked"] is True
        assert bucket.inputs["enableAnalytics"] is True


def test_each_sink_writes_into_its_bucket(graph: list[Registered]) -> None:
    for name, sink in of_type(graph, "ProjectSink").items():
        assert sink.inputs["destination"] == f"logging.googleapis.com/{name}-id"
        assert sink.inputs["name"] == name


def test_the_clusters_sink_leaves_entries_to_owners_only_once_their_sinks_are_there(
    graph: list[Registered],
) -> None:
    sinks = of_type(graph, "ProjectSink")
    owned = {name for name in sinks if name.startswith(("test-logs-ads-ml-", "test-logs-ada-"))}
    assert len(owned) == 2
    assert owned <= set(sinks["test-logs-cluster"].options["depends_on"])


def test_default_leaves_entries_out_only_once_all_sinks_are_there(graph: list[Registered]) -> None:
    sinks = set(of_type(graph, "ProjectSink"))
    exclusions = of_type(graph, "ProjectExclusion")
    assert set(exclusions) == {"test-audit", "test-health-checks", "test-workloads"}
    for exclusion in exclusions.values():
        assert sinks <= set(exclusion.options["depends_on"])


def test_an_own_key_comes_with_the_right_to_use_it_and_buckets_of_its_name() -> None:
    graph = build({"own_key": True})
    (key,) = of_type(graph, "CryptoKey").values()
    assert key.inputs["versionTemplate"]["protectionLevel"] == "HSM"
    assert key.inputs["deletionPolicy"] == "ABANDON", "what is kept can be read for its time"
    (grant,) = of_type(graph, "CryptoKeyIAMMember").values()
    assert grant.inputs["cryptoKeyId"] == "test-logs-id"
    assert grant.inputs["member"].startswith("serviceAccount:cmek-p"), "the account that Google tells"
    for bucket in of_type(graph, "ProjectBucketConfig").values():
        assert bucket.inputs["cmekSettings"] == {"kmsKeyName": "test-logs-id"}
        assert bucket.inputs["bucketId"] == f"{bucket.name}-0a1b2c3", "the key's generated suffix"
        assert "test-logs-agent" in bucket.options["depends_on"]


def test_a_dataset_is_linked_to_each_bucket_where_it_is_asked_for() -> None:
    graph = build({"analytics": True, "dataset": True})
    links = of_type(graph, "LinkedDataset")
    assert set(links) == set(of_type(graph, "ProjectBucketConfig"))
    for name, link in links.items():
        assert link.inputs["linkId"] == name.replace("-", "_")
        assert "test-bigquery" in link.options["depends_on"]


def test_a_sinks_account_is_granted_each_destination_once() -> None:
    graph = build(
        {
            "exports": {
                "archive": {"to": ARCHIVE},
                "errors": {"to": ARCHIVE, "filter": "severity>=ERROR"},
                "sql": {"to": DATASET},
            }
        }
    )
    sinks = of_type(graph, "ProjectSink")
    assert sinks["test-export-sql"].inputs["bigqueryOptions"] == {"usePartitionedTables": True}
    assert "bigqueryOptions" not in sinks["test-export-archive"].inputs
    assert all(
        sinks[f"test-export-{name}"].inputs["uniqueWriterIdentity"] for name in ("archive", "errors", "sql")
    )
    (storage,) = of_type(graph, "BucketIAMMember").values()
    assert (storage.inputs["bucket"], storage.inputs["role"]) == (
        "acme-log-archive",
        "roles/storage.objectCreator",
    )
    (dataset,) = of_type(graph, "DatasetIamMember").values()
    assert (dataset.inputs["project"], dataset.inputs["datasetId"]) == ("acme-warehouse", "pipeline_logs")
    assert dataset.inputs["role"] == "roles/bigquery.dataEditor"


def test_use_of_data_is_logged_for_the_services_that_hold_it(graph: list[Registered]) -> None:
    """M17: security events are seen."""
    configs = of_type(graph, "IAMAuditConfig").values()
    assert {config.inputs["service"] for config in configs} == {
        "cloudkms.googleapis.com",
        "secretmanager.googleapis.com",
        "storage.googleapis.com",
    }
    for config in configs:
        kinds = {each["logType"] for each in config.inputs["auditLogConfigs"]}
        assert kinds == {"ADMIN_READ", "DATA_READ", "DATA_WRITE"}


def test_who_reads_the_cluster_and_audit_logs_is_said_in_the_stack_file() -> None:
    graph = build({"readers": [RISK], "audit": {"readers": [ADS, RISK]}})
    members = {b.inputs["bucket"]: b.inputs["members"] for b in of_type(graph, "LogViewIamBinding").values()}
    assert members["test-logs-cluster"] == ["user:ada@acme.dev"]
    assert members["test-logs-audit"] == ["group:ads-ml@acme.dev", "user:ada@acme.dev"]
