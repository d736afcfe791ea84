"""Every rule of operations and security finds what breaks it, in one change, and an unknown value is never fine."""

from typing import Any

import pytest

from policies.delivery_rules import DELIVERY_RULES
from policies.operations_rules import OPERATIONS_RULES
from policies.resources import UNKNOWN, make_urn
from policies.security_rules import SECURITY_RULES
from policies.settings import CanaryLimits, Settings
from policies.target_rules import TARGET_RULES
from tests.policies.scenes import open_scene
from tests.policies.violations import Row, describe, expected, load_violations, seed

RULES = (*OPERATIONS_RULES, *SECURITY_RULES)
JUDGED_BY_STEPS = {"nothing-is-lost"}
"""Their cases are in test_replacements.py."""
ROWS = load_violations()
INTERNAL = {"networking.gke.io/load-balancer-type": "Internal"}


@pytest.mark.parametrize("row", ROWS, ids=describe)
def test_a_seeded_violation_is_found_by_the_rule_that_is_named(row: Row) -> None:
    """D1, D8, M17, job 2: whatever the program is changed to."""
    scene = seed(row)
    found = [text for text in scene.found(row["rule"]) if text.startswith(expected(row))]
    assert any(row.get("said", "") in text for text in found), scene.found(row["rule"])
    assert row["rule"] in scene.broken()


def test_there_are_sixty_at_least_and_each_is_another() -> None:
    assert len(ROWS) >= 60
    assert len({str(sorted(row.items(), key=str)) for row in ROWS}) == len(ROWS)


def test_every_rule_has_a_violation_and_an_unknown_value() -> None:
    names = {rule.name for rule in RULES} - JUDGED_BY_STEPS
    assert {row["rule"] for row in ROWS if not is_unknown(row)} == names
    assert {row["rule"] for row in ROWS if is_unknown(row)} == names


def is_unknown(row: Row) -> bool:
    return bool(row.get("unknown") or row.get("also", {}).get("unknown"))


KEY, ACCOUNT, CHANNEL, BUCKET, CLUSTER = (
    frozenset([make_urn("dev", kind, "made-in-the-same-update")])
    for kind in (
        "headroom:infra:Encryption$gcp:kms/cryptoKey:CryptoKey",
        "gcp:serviceaccount/account:Account",
        "gcp:monitoring/notificationChannel:NotificationChannel",
        "gcp:logging/projectBucketConfig:ProjectBucketConfig",
        "headroom:infra:Cluster$gcp:container/cluster:Cluster",
    )
)


@pytest.mark.parametrize(
    ("rule", "resource", "path", "sources"),
    [
        ("disks-are-encrypted", "dev-pool-l4", "nodeConfig.bootDiskKmsKey", KEY),
        ("secrets-are-encrypted", "dev-cluster", "databaseEncryption.keyName", KEY),
        ("nodes-have-an-account-of-their-own", "dev-pool-l4", "nodeConfig.serviceAccount", ACCOUNT),
        ("no-public-members", "dev-nodes-logging-logwriter", "member", ACCOUNT),
        ("targets-are-the-stacks-own", "Target dev-feed-serving", "gke.cluster", CLUSTER),
        (
            "deliveries-have-accounts-of-their-own",
            "Target dev-feed-serving",
            "executionConfigs.1.serviceAccount",
            ACCOUNT,
        ),
        ("alerts-reach-somebody", "dev-serving-outage", "notificationChannels", CHANNEL),
        ("logs-of-pipelines-are-routed", "ProjectSink dev-logs-feed-ml-90daf2", "destination", BUCKET),
    ],
)
def test_what_the_same_update_creates_is_unknown_and_fine(
    rule: str, resource: str, path: str, sources: frozenset[str]
) -> None:
    """Every first preview has these, so that a finding would say nothing; of anything else it may come from
    nobody knows what it is."""
    row = {"rule": rule, "resource": resource, "path": path, "unknown": True}
    scene = seed(row)
    options = scene.find(resource).setdefault("options", {})
    options["sources"] = {path.split(".")[0]: sources}
    assert scene.found(rule) == []
    options["sources"] = {path.split(".")[0]: frozenset([make_urn("dev", "gcp:storage/bucket:Bucket", "b")])}
    assert scene.found(rule)


def test_a_delivery_as_it_should_be_breaks_nothing() -> None:
    """D1, D8."""
    row = {"stack": "prod", "base": "delivery_base", "resource": "none"}
    names = {rule.name for rule in (*DELIVERY_RULES, *TARGET_RULES)} - {"models-are-delivered"}
    assert [verdict for verdict in seed(row).verdicts() if verdict.rule.name in names] == []


@pytest.mark.parametrize(
    "text",
    [
        'severity<WARNING AND jsonPayload.path="/healthz"',
        "severity<WARNING AND (a=b OR c=d)",
        "severity=DEBUG",
    ],
)
def test_what_is_below_a_warning_may_be_left_out(text: str) -> None:
    """M17: the rule from its other side."""
    scene = open_scene("dev").put("ProjectSink dev-logs-feed-ml-90daf2", "exclusions", 0, "filter", to=text)
    assert scene.found("only-noise-is-left-out") == []


@pytest.mark.parametrize(
    ("text", "is_found"),
    [('SOURCE("projects/acme-ml-dev")', False), ("severity=NOPE", True), (UNKNOWN, True)],
    ids=["all", "nothing", "not known"],
)
def test_who_owns_a_pipeline_reads_all_of_its_logs(text: Any, is_found: bool) -> None:
    """M17: a view that shows nothing is none."""
    scene = open_scene("dev").put("dev-owners-feed-data", "subjects", 0, "name", to="feed-ml@acme.dev")
    bucket = "dev-logs-feed-ml-90daf2-id"
    scene.add("gcp:logging/logView:LogView", "readers", {"bucket": bucket, "filter": text})
    scene.add("gcp:logging/logViewIamBinding:LogViewIamBinding", "readers-are", {"bucket": bucket})
    found = scene.found("logs-have-readers")
    assert any(each.startswith("dev-namespace-feed-data: ") for each in found) == is_found


@pytest.mark.parametrize(("other", "is_found"), [("", False), ("-other", True)])
def test_before_the_first_update_readers_are_told_by_the_bucket_that_they_come_from(
    other: str, is_found: bool
) -> None:
    """M17: the bucket's short name is known then, and its id, which the sink has, is not."""
    scene = open_scene("dev").put("dev-owners-feed-data", "subjects", 0, "name", to="feed-ml@acme.dev")
    name = "dev-logs-feed-ml-90daf2"
    scene.put(f"ProjectSink {name}", "destination", to=UNKNOWN)
    scene.add("gcp:logging/logView:LogView", "readers", {"bucket": UNKNOWN})
    scene.add("gcp:logging/logViewIamBinding:LogViewIamBinding", "readers-are", {"bucket": f"{name}{other}"})
    bucket = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
    for each, key, source in (
        (f"ProjectSink {name}", "destination", name),
        ("readers", "bucket", name),
        ("readers-are", "bucket", f"{name}{other}"),
    ):
        sources = {key: frozenset([make_urn("dev", bucket, source)])}
        scene.find(each).setdefault("options", {})["sources"] = sources
    found = scene.found("logs-have-readers")
    assert any(each.startswith("dev-namespace-feed-data: ") for each in found) == is_found


def test_an_exclusion_that_is_switched_off_leaves_nothing_out() -> None:
    path = ("ProjectSink dev-logs-feed-ml-90daf2", "exclusions", 0)
    scene = open_scene("dev").put(*path, "filter", to="severity=ERROR").put(*path, "disabled", to=True)
    assert scene.found("only-noise-is-left-out") == []


def test_a_sink_that_takes_a_part_of_a_namespace_does_not_take_its_place() -> None:
    """M17: what is left out elsewhere would be nowhere."""
    sink = "ProjectSink dev-logs-feed-ml-90daf2"
    scene = open_scene("dev")
    scene.put(sink, "filter", to=f"{scene.value(sink, 'filter')}\nAND severity>=ERROR")
    (found,) = scene.found("only-noise-is-left-out")
    assert found.startswith("dev-logs-cluster: leaves out (resource.labels.namespace_name=")


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        ("core/v1:Service", {"spec": {"type": "ClusterIP"}}),
        ("core/v1:Service", {"spec": {"type": "LoadBalancer"}, "metadata": {"annotations": INTERNAL}}),
        (
            "networking.k8s.io/v1:Ingress",
            {"metadata": {"annotations": {"kubernetes.io/ingress.class": "gce-internal"}}},
        ),
    ],
)
def test_what_has_a_private_address_is_not_exposed(kind: str, inputs: dict[str, Any]) -> None:
    scene = open_scene("dev").add(f"kubernetes:{kind}", "side", inputs)
    scene.add("gcp:compute/address:Address", "inside", {"addressType": "INTERNAL"})
    assert scene.found("nothing-is-exposed") == []


def test_every_phase_is_larger_than_the_one_before() -> None:
    path = ("serialPipeline", "stages", 1, "strategy", "canary", "customCanaryDeployment", "phaseConfigs")
    scene = open_scene("prod")
    scene.put("DeliveryPipeline prod-assistant-serving", *path, 1, "percentage", to=10.0)
    (found,) = scene.found("canaries-come-first")
    assert "canary-50 has 10 %, after 10 %" in found


def test_how_many_get_a_model_first_is_a_setting() -> None:
    scene = open_scene("prod")
    scene.settings = Settings(canary=CanaryLimits(first_percent=5))
    found = scene.found("canaries-come-first")
    assert any("prod-assistant-serving: canary-10 gives 10 %" in text for text in found)
    assert not any("canary-5 gives" in text for text in found)


def test_development_need_not_be_protected_nor_survive_a_zone() -> None:
    scene = open_scene("dev").put("dev-cluster", "nodeLocations", to=["us-central1-a"])
    for rule in ("production-is-protected", "production-survives-a-zone"):
        assert scene.found(rule) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_says_what_it_is_for_and_what_to_do(rule) -> None:
    assert rule.family in ("operations", "security")
    assert rule.description.endswith(".")
    assert rule.remedy.endswith(".")
    assert rule.reference
    assert rule.level == "mandatory"
    assert rule.of_resource or rule.of_stack or rule.of_steps
    for framework in rule.frameworks:
        assert framework.version
        assert framework.reference


def test_every_number_of_the_benchmark_is_said_once_in_a_table() -> None:
    """Numbers move between versions of the benchmark, so the version stands beside each."""
    cis = {each for rule in SECURITY_RULES for each in rule.frameworks if each.name.startswith("CIS")}
    assert {each.version for each in cis} == {"1.9.0"}
    assert len({each.reference for each in cis}) >= 29
