"""M17: every entry is kept once, where its owner can read it, and no warning is ever left out."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.planning.log_filters import shard_by_name, workload_logs
from headroom.planning.logging import LoggingPlan, SinkPlan, check_logging, logging_traits, plan_logging
from headroom.planning.plan import plan_config
from headroom.spec.errors import StackFileError
from headroom.spec.log_filter import LONGEST_FILTER, Call, Comparison, Expression, Logic, parse_filter
from headroom.spec.platform import Platform
from headroom.spec.stack_file import parse_config
from tests.conftest import MINIMAL

SEVERITIES = ("DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY")
LIMITS = {"cpu": {"cpu": {"guarantee": 1, "cap": 2}, "memory": {"guarantee": "1Gi", "cap": "2Gi"}}}
OWNERS = {"ads-data": "group:ads@acme.dev", "ads-serving": "group:ads@acme.dev", "risk": "user:ada@acme.dev"}
PROBE = '10.0.0.7 - "GET /healthz HTTP/1.1" 200 OK'

Entry = Mapping[str, Any]


def platform(
    logging: dict[str, Any] | None = None, owners: dict[str, str] = OWNERS, **other: Any
) -> Platform:
    pipelines = {
        name: {"kind": "data", "model": "m", "owner": owner, "limits": LIMITS}
        for name, owner in owners.items()
    }
    config = MINIMAL | {"headroom:pipelines": pipelines, "headroom:logging": logging or {}} | other
    return parse_config(config, "f")


def production(logging: dict[str, Any] | None = None) -> LoggingPlan:
    return plan_logging(platform(logging, **{"headroom:environment": {"tier": "production"}}), "test")


def holds(expression: Expression, entry: Entry) -> bool:
    """Whether an entry matches, as far as the filters of the plan go; a field that is not there matches nothing."""
    if isinstance(expression, Logic):
        parts = [holds(part, entry) for part in expression.parts]
        return (
            not parts[0]
            if expression.operator == "NOT"
            else (all if expression.operator == "AND" else any)(parts)
        )
    if isinstance(expression, Call):
        assert expression.function == "LOG_ID"
        return entry.get("log_id") == expression.arguments[0]
    assert isinstance(expression, Comparison)
    given = entry.get(expression.field)
    return given is not None and compare(expression, given)


def compare(comparison: Comparison, given: Any) -> bool:
    wanted: Any = comparison.value
    if comparison.field == "severity":
        given, wanted = SEVERITIES.index(given), SEVERITIES.index(wanted)
    elif isinstance(given, int):
        wanted = int(wanted)
    match comparison.operator:
        case "=":
            return given == wanted
        case ">=":
            return given >= wanted
        case "<":
            return given < wanted
        case "=~":
            return re.search(comparison.value, str(given)) is not None
    raise AssertionError(comparison.operator)


def keeps(sink: SinkPlan, entry: Entry) -> bool:
    excluded = any(holds(parse_filter(exclusion.filter), entry) for exclusion in sink.exclusions)
    return holds(parse_filter(sink.filter), entry) and not excluded


def route(plan: LoggingPlan, entry: Entry) -> list[str]:
    """The buckets in which an entry is kept; `_Default` has what it is not told to leave out."""
    kept = [bucket.name for bucket in plan.buckets for sink in bucket.sinks if keeps(sink, entry)]
    left_out = any(holds(parse_filter(exclusion.filter), entry) for exclusion in plan.excluded)
    return kept if left_out else [*kept, "_Default"]


def entry(namespace: str, severity: str = "INFO", **fields: Any) -> Entry:
    return {
        "resource.type": "k8s_container",
        "resource.labels.cluster_name": "test-cluster",
        "resource.labels.location": "us-central1",
        "resource.labels.namespace_name": namespace,
        "severity": severity,
        "log_id": "stdout",
    } | {name.replace("__", "."): value for name, value in fields.items()}


def event(namespace: str) -> Entry:
    about = {
        "resource.type": "k8s_cluster",
        "log_id": "events",
        "jsonPayload.involvedObject.namespace": namespace,
    }
    return {
        name: value for name, value in entry("").items() if name != "resource.labels.namespace_name"
    } | about


def bucket_of(plan: LoggingPlan, namespace: str) -> str:
    (name,) = (bucket.name for bucket in plan.buckets if namespace in bucket.namespaces)
    return name


@pytest.mark.parametrize("namespace", OWNERS)
@pytest.mark.parametrize("severity", SEVERITIES)
def test_what_a_pipeline_logs_is_kept_in_its_owners_bucket_alone(namespace: str, severity: str) -> None:
    """M17: complete, and access limited: neither `_Default` nor another owner has it."""
    plan = plan_logging(platform(), "test")
    assert route(plan, entry(namespace, severity)) == [bucket_of(plan, namespace)]


@pytest.mark.parametrize("namespace", OWNERS)
def test_events_about_a_pipelines_objects_are_kept_with_its_logs(namespace: str) -> None:
    """M17: evictions and failed schedulings are events, and tell the cause."""
    plan = plan_logging(platform(), "test")
    assert route(plan, event(namespace)) == [bucket_of(plan, namespace)]


def test_a_container_cannot_write_into_anothers_logs_by_what_it_says_of_itself() -> None:
    plan = plan_logging(platform(), "test")
    forged = entry("risk", jsonPayload__involvedObject__namespace="ads-data", log_id="events")
    assert route(plan, forged) == [bucket_of(plan, "risk")]


@pytest.mark.parametrize("namespace", ["kube-system", "kueue-system", "somebody"])
def test_what_is_no_pipelines_is_kept_in_the_clusters_bucket(namespace: str) -> None:
    plan = plan_logging(platform(), "test")
    assert route(plan, entry(namespace)) == ["test-logs-cluster"]
    assert route(plan, event(namespace)) == ["test-logs-cluster"]


def test_another_clusters_logs_stay_where_they_were() -> None:
    plan = plan_logging(platform(), "test")
    assert route(plan, entry("risk", resource__labels__cluster_name="other")) == ["_Default"]
    assert route(plan, {"resource.type": "gce_instance", "severity": "INFO"}) == ["_Default"]


def test_use_of_data_is_kept_apart() -> None:
    plan = plan_logging(platform(), "test")
    used = {
        "resource.type": "gcs_bucket",
        "log_id": "cloudaudit.googleapis.com/data_access",
        "severity": "INFO",
    }
    assert route(plan, used) == ["test-logs-audit"]


@pytest.mark.parametrize(
    "noise",
    [
        {"textPayload": PROBE},
        {"httpRequest__userAgent": "GoogleHC/1.0", "httpRequest__status": 200},
        {"httpRequest__userAgent": "kube-probe/1.33"},
        {"severity": "DEBUG"},
        {"jsonPayload__step": "chatter"},
    ],
)
def test_noise_is_kept_nowhere_and_as_a_warning_always(noise: dict[str, Any]) -> None:
    """M17: exclusions keep the bill down and never drop errors."""
    plan = production({"exclude": {"chatter": 'jsonPayload.step="chatter" -- talks a lot'}})
    for namespace in (*OWNERS, "kube-system"):
        assert route(plan, entry(namespace, **{"severity": "INFO"} | noise)) == []
        for severity in SEVERITIES[4:]:
            assert route(plan, entry(namespace, **noise | {"severity": severity})) != []


@pytest.mark.parametrize(
    "useful",
    [
        {"textPayload": PROBE.replace("200 OK", "503 Service Unavailable")},
        {"textPayload": 'the client said "GET /predict HTTP/1.1" 200'},
        {"httpRequest__userAgent": "kube-probe/1.33", "httpRequest__status": 500},
        {"severity": "NOTICE"},
        {"severity": "DEFAULT"},
    ],
)
def test_what_tells_of_a_failure_is_no_noise(useful: dict[str, Any]) -> None:
    plan = production()
    assert route(plan, entry("risk", **{"severity": "INFO"} | useful)) == [bucket_of(plan, "risk")]


def test_debug_is_kept_while_developing_and_where_it_is_asked_for() -> None:
    for plan in (plan_logging(platform(), "test"), production({"debug": "keep"})):
        assert route(plan, entry("risk", "DEBUG")) == [bucket_of(plan, "risk")]
    assert route(plan_logging(platform({"debug": "drop"}), "test"), entry("risk", "DEBUG")) == []


def test_the_filters_name_the_cluster_as_it_is_called() -> None:
    from infra.components.base import Scope

    name = Scope.name(type("Named", (), {"environment": "test"})(), "cluster")  # ty: ignore[invalid-argument-type]
    assert f'resource.labels.cluster_name="{name}"' in workload_logs("test", "us-central1")


def test_owners_that_differ_in_case_only_are_one() -> None:
    plan = plan_logging(
        platform(owners={"a": "group:Ads@acme.dev", "b": "group:ads@ACME.dev".lower()}), "test"
    )
    assert [bucket.namespaces for bucket in plan.buckets if bucket.namespaces] == [("a", "b")]


def test_an_owner_at_a_domain_of_examples_is_given_nothing() -> None:
    plan = plan_logging(platform(owners={"a": "group:ads@acme.example"}), "test")
    assert [bucket.readers for bucket in plan.buckets] == [(), (), ()]
    assert route(plan, entry("a")) == [bucket_of(plan, "a")]


def test_experiments_have_a_bucket_that_their_owners_read() -> None:
    plan = plan_logging(
        platform(**{"headroom:quota": {"experiments": {"owners": ["user:eve@acme.dev"]}}}), "test"
    )
    bucket = next(bucket for bucket in plan.buckets if bucket.name == "test-logs-experiments")
    assert bucket.readers == ("user:eve@acme.dev",)
    assert route(plan, entry("experiments")) == ["test-logs-experiments"]


@given(st.sets(st.integers(0, 400), min_size=1, max_size=60), st.integers(401, 500))
def test_a_bucket_keeps_its_name_when_pipelines_come(numbers: set[int], another: int) -> None:
    """M17: nobody's logs move because another pipeline came or went."""
    owners = {f"p{number}": f"group:team-{number % 7}@acme.dev" for number in numbers}
    more = owners | {f"p{another}": f"group:team-{another % 7}@acme.dev"}
    before, after = (plan_logging(platform(owners=each), "test") for each in (owners, more))
    assert all(bucket_of(before, name) == bucket_of(after, name) for name in owners)
    assert [sink.name for bucket in before.buckets for sink in bucket.sinks if bucket.namespaces] == [
        bucket.name for bucket in before.buckets if bucket.namespaces
    ]


names = st.sets(st.from_regex(r"[a-z][a-z0-9]{0,39}", fullmatch=True), max_size=400)


@given(names, st.from_regex(r"[a-z][a-z0-9]{0,38}-", fullmatch=True))
def test_shards_hold_every_name_once_and_another_name_changes_one(given: set[str], another: str) -> None:
    def render(shard: Any) -> str:
        return (",".join(shard) + ",") * 8

    before, after = shard_by_name(sorted(given), render), shard_by_name(sorted({*given, another}), render)
    assert sorted(name for _, text in before for name in text[: len(text) // 8].split(",") if name) == sorted(
        given
    )
    assert all(len(text) <= LONGEST_FILTER for _, text in before)
    if max([number for number, _ in before], default=0) == max(number for number, _ in after):
        assert len(set(after) - set(before)) == 1


def test_thousands_of_pipelines_of_one_owner_fit() -> None:
    """M17: 5,000 pipelines with names of a usual length."""
    owners = {f"pipeline-{number}": "group:ml@acme.dev" for number in range(5_000)}
    asked = platform(owners=owners)
    plan = plan_logging(asked, "test")
    assert check_logging(asked, "test") == []
    filters = [sink.filter for bucket in plan.buckets for sink in bucket.sinks]
    assert max(len(text) for text in filters) <= LONGEST_FILTER
    assert sum(f'"pipeline-{number}"' in text for text in filters for number in (17, 4_999)) == 2


def test_more_owners_than_log_buckets_are_refused_with_the_remedy() -> None:
    """M17: Google grants a project 100 log buckets, of which two are its own."""
    owners = {f"p{number}": f"group:team-{number}@acme.dev" for number in range(97)}
    (problem,) = check_logging(platform(owners=owners), "test")
    assert problem.path == "headroom:logging.granted.buckets"
    assert "is 100, and 101 are needed" in problem.message
    assert "let groups own several pipelines" in problem.message
    assert check_logging(platform({"granted": {"buckets": 101}}, owners), "test") == []
    del owners["p0"]
    assert check_logging(platform(owners=owners), "test") == []


def test_more_names_than_exclusions_can_hold_are_refused() -> None:
    owners = {f"a-rather-long-name-of-a-pipeline-{number}": "group:ml@acme.dev" for number in range(9_000)}
    assert "headroom:pipelines" in {
        problem.path for problem in check_logging(platform(owners=owners), "test")
    }


@pytest.mark.parametrize(
    ("logging", "problem"),
    [
        (
            {"retention_days": 30, "locked_days": 90},
            "headroom:logging.retention_days: is 30, and locked_days freezes it at 90: what is locked can never be changed; set it to 90, or locked_days too where nothing is locked yet",
        ),
        ({"retention_days": 180, "locked_days": 90}, "headroom:logging.retention_days: is 180, and locked_days freezes it at 90"),
        ({"locked_days": 90}, "headroom:logging.retention_days: is 30, and locked_days freezes it at 90"),
        ({"audit": {"locked_days": 30}}, "headroom:logging.audit.retention_days: is 400, and locked_days freezes it at 30"),
        (
            {"exports": {"a": {"to": "storage.googleapis.com/acme", "pipelines": ["risk", "rusk"]}}},
            "headroom:logging.exports.a.pipelines[1]: is no pipeline of this stack; did you mean risk?",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused_with_its_key(logging: dict[str, Any], problem: str) -> None:
    (found,) = check_logging(platform(logging), "test")
    assert str(found).startswith(problem)


def test_less_than_what_a_locked_bucket_holds_is_refused_with_file_and_key() -> None:
    logging = {"retention_days": 30, "locked_days": 90}
    with pytest.raises(StackFileError) as refused:
        plan_config(MINIMAL | {"headroom:logging": logging}, "test", "Pulumi.test.yaml")
    assert "Pulumi.test.yaml: headroom:logging.retention_days: is 30, and locked_days" in str(refused.value)


def test_what_is_locked_as_long_as_it_is_kept_is_locked() -> None:
    asked = platform({"retention_days": 90, "locked_days": 90, "audit": {"locked_days": 400}})
    assert check_logging(asked, "test") == []
    assert all(bucket.locked for bucket in plan_logging(asked, "test").buckets)


def test_an_export_holds_what_it_was_asked_for_of_this_cluster() -> None:
    asked = {
        "to": "storage.googleapis.com/acme",
        "pipelines": ["risk"],
        "filter": "severity>=ERROR -- all",
    }
    (export,) = plan_logging(platform({"exports": {"a": asked}}), "test").exports
    wanted = parse_filter(export.filter)
    assert holds(wanted, entry("risk", "ERROR"))
    assert not holds(wanted, entry("risk", "INFO"))
    assert not holds(wanted, entry("ads-data", "ERROR"))
    assert not holds(wanted, entry("risk", "ERROR", resource__labels__cluster_name="other"))
    assert (export.service, export.target, export.role) == ("storage", "acme", "roles/storage.objectCreator")


def test_the_longest_export_is_short_enough_for_google() -> None:
    owners = {f"a-name-as-long-as-a-name-can-be-{number:08}": "group:ml@acme.dev" for number in range(100)}
    asked = {"to": "storage.googleapis.com/acme", "pipelines": sorted(owners), "filter": "a" * 8_000}
    (export,) = plan_logging(platform({"exports": {"a": asked}}, owners), "an-environment-of-20").exports
    assert len(export.filter) <= LONGEST_FILTER


def test_datasets_need_the_api_of_bigquery() -> None:
    assert logging_traits(platform().logging) == set()
    assert logging_traits(platform({"analytics": True, "dataset": True}).logging) == {"log_datasets"}
    to = "bigquery.googleapis.com/projects/acme-warehouse/datasets/logs"
    assert logging_traits(platform({"exports": {"a": {"to": to}}}).logging) == {"log_datasets"}
