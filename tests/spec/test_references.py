"""Names that entries have of each other are told in a file whose values are not well formed yet."""

from typing import Any

import pytest

from headroom.planning.plan import plan_config
from headroom.spec.errors import StackFileError
from headroom.spec.references import check_references

LIMITS = {"cpu": {"cpu": {"guarantee": 1, "cap": 2}, "memory": {"guarantee": "1Gi", "cap": "2Gi"}}}


@pytest.fixture
def broken(config: dict[str, Any]) -> dict[str, Any]:
    """A file with one mistake of form: the kind of the only pipeline."""
    pipeline = {"kind": "dat", "model": "feed", "owner": "user:a@b.co", "limits": LIMITS}
    config["headroom:pipelines"] = {"feed-data": pipeline}
    config["headroom:models"] = {"feed": {"architecture": "trees", "rows": "1M", "features": 4}}
    config["headroom:alerting"] = {
        "channels": {"mail": {"kind": "email", "address": "a@b.co"}},
        "routes": {"page": ["mail"], "ticket": ["mail"]},
        "owners": {"user:a@b.co": {"page": ["mail"]}},
        "mutes": {
            "m": {"pipelines": ["feed-data"], "start": "2099-12-01T22:00:00Z", "end": "2099-12-02T04:00:00Z"}
        },
    }
    return config


def paths_of(config: dict[str, Any]) -> set[str]:
    with pytest.raises(StackFileError) as refused:
        plan_config(config, "test", "f")
    return {problem.path for problem in refused.value.problems}


def test_what_refers_to_a_malformed_entry_is_not_said_to_refer_to_none(broken: dict[str, Any]) -> None:
    assert paths_of(broken) == {"headroom:pipelines.feed-data.kind"}


@pytest.mark.parametrize(
    ("path", "put", "said"),
    [
        (
            "headroom:pipelines.feed-data.limits.gpu",
            lambda c: c["headroom:pipelines"]["feed-data"]["limits"].update(gpu={"gpus": 1}),
            "names no pool of this stack; did you mean cpu?",
        ),
        (
            "headroom:pipelines.feed-data.demand.pool",
            lambda c: c["headroom:pipelines"]["feed-data"].update(demand={"pool": "cpus"}),
            "names no pool of this stack; did you mean cpu?",
        ),
        (
            "headroom:quota.experiments.pools.l4",
            lambda c: c.update({"headroom:quota": {"experiments": {"pools": {"l4": 0.5}}}}),
            "names no pool of this stack; choose one of cpu",
        ),
        (
            "headroom:models.fed",
            lambda c: c["headroom:models"].update(fed=c["headroom:models"].pop("feed")),
            "is the model of no pipeline; did you mean feed?",
        ),
        (
            "headroom:alerting.routes.page[0]",
            lambda c: c["headroom:alerting"]["routes"].update(page=["male"]),
            "is no channel of this stack; did you mean mail?",
        ),
    ],
)
def test_a_name_that_is_wrong_is_told_beside_what_is_malformed(
    broken: dict[str, Any], path: str, put: Any, said: str
) -> None:
    put(broken)
    assert {path, "headroom:pipelines.feed-data.kind"} <= paths_of(broken)
    assert [problem.message for problem in check_references(broken) if problem.path == path] == [said]


def test_a_well_formed_pipeline_beside_a_malformed_one_is_told_its_unknown_pool(
    broken: dict[str, Any],
) -> None:
    other = broken["headroom:pipelines"]["feed-data"] | {"kind": "data", "limits": {"gone": LIMITS["cpu"]}}
    broken["headroom:pipelines"]["other"] = other
    assert "headroom:pipelines.other.limits.gone" in paths_of(broken)


def test_where_a_pipelines_model_is_not_known_no_model_is_said_to_be_unused(broken: dict[str, Any]) -> None:
    del broken["headroom:pipelines"]["feed-data"]["model"]
    assert not any(path.startswith("headroom:models") for path in paths_of(broken))


@pytest.mark.parametrize("value", [None, 3, "text", [], [{}], {"a": None}, {1: 2}])
def test_whatever_stands_in_a_section_is_read_past(broken: dict[str, Any], value: Any) -> None:
    for section in ("pools", "pipelines", "models", "alerting", "quota"):
        check_references(broken | {f"headroom:{section}": value})
