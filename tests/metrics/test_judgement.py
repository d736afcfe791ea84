"""D7: a bad model is refused for what is wrong with it, and what is not known is not fine."""

from dataclasses import replace

import pytest
from headroom_metrics import MetricsError
from headroom_metrics.judgement import (
    Bound,
    Candidate,
    Demands,
    Evidence,
    Served,
    judge,
    select,
    total,
    worst,
)
from headroom_metrics.prometheus import Value

GOOD = Evidence(
    missing=(),
    served=Served(requests=1_000, failed=1, slow=10, availability=0.999, latency=0.99),
    quality={"auc": 0.8, "log_loss": 0.3},
    distances={"score": 0.1},
    is_first=False,
    present_quality={"auc": 0.8, "log_loss": 0.3},
)
DEMANDS = Demands(
    expected=("ml_pipeline_info",),
    requests=100,
    bounds=(Bound("auc", "min", 0.78), Bound("log_loss", "max", 0.35)),
    worse=0.01,
    skew=0.2,
)
SERVED = GOOD.served


def test_a_good_model_goes_on() -> None:
    assert judge(GOOD, DEMANDS) == ()


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (
            replace(GOOD, served=replace(SERVED, requests=99)),
            "requests: 99 were answered, and 100 are needed",
        ),
        (replace(GOOD, served=Served()), "requests: 0 were answered"),
        (
            replace(GOOD, served=replace(SERVED, failed=2)),
            "requests: 0.20% failed, and the objective allows 0.10%",
        ),
        (replace(GOOD, served=replace(SERVED, slow=11)), "requests: 1.10% were slow"),
        (
            replace(GOOD, served=replace(SERVED, slow=None)),
            "requests: how many were slow, or how many may, is not",
        ),
        (
            replace(GOOD, served=replace(SERVED, availability=None)),
            "requests: how many failed, or how many may",
        ),
        (
            replace(GOOD, quality=dict(GOOD.quality) | {"auc": 0.7799}),
            "auc: is 0.7799, and must be at least 0.78",
        ),
        (
            replace(GOOD, quality=dict(GOOD.quality) | {"log_loss": 0.36}),
            "log_loss: is 0.36, and must be at most",
        ),
        (replace(GOOD, quality={"auc": 0.8}), "log_loss: not there"),
        (
            replace(GOOD, present_quality={"auc": 0.81, "log_loss": 0.3}),
            "auc: is 0.8, and the present model's is",
        ),
        (replace(GOOD, present_quality={"auc": 0.8, "log_loss": 0.29}), "log_loss: is 0.3, and the present"),
        (replace(GOOD, present_quality={"auc": 0.8}), "log_loss: of the present model not there"),
        (replace(GOOD, distances={}), "skew: not there"),
        (
            replace(GOOD, distances={"score": 0.1, "rank": 0.21}),
            "skew: rank is 0.21 from what the present model",
        ),
        (
            replace(GOOD, missing=("ml_model_quality",)),
            "ml_model_quality: not there: the model does not export it",
        ),
    ],
)
def test_a_bad_model_is_refused_and_told_why(evidence: Evidence, reason: str) -> None:
    """D7: for one reason each."""
    reasons = judge(evidence, DEMANDS)
    assert len([each for each in reasons if each.startswith(reason)]) == 1
    assert all(each.split(":")[0] in reason.split(":")[0] for each in reasons)


def test_bounds_and_objectives_themselves_are_good_enough() -> None:
    edge = replace(GOOD, quality={"auc": 0.78, "log_loss": 0.35}, distances={"score": 0.2})
    assert judge(edge, replace(DEMANDS, worse=None)) == ()


def test_worse_is_a_share_of_the_present_models_quality() -> None:
    def reasons(new: float, present: float) -> tuple[str, ...]:
        evidence = replace(GOOD, quality={"auc": new}, present_quality={"auc": present})
        return judge(evidence, replace(DEMANDS, bounds=(Bound("auc", "min", -9),)))

    assert reasons(0.99, 1.0) == ()
    assert reasons(0.98, 1.0)
    assert reasons(-1.005, -1.0) == ()
    assert reasons(-1.02, -1.0)
    assert reasons(1.2, 1.0) == ()


def test_a_first_release_is_compared_with_nothing_and_held_to_its_bounds() -> None:
    """D7: there is no present model yet."""
    first = replace(GOOD, is_first=True, distances={}, present_quality={})
    assert judge(first, DEMANDS) == ()
    assert judge(replace(first, quality={"auc": 0.5, "log_loss": 0.3}), DEMANDS)


def test_what_is_not_asked_for_is_not_judged() -> None:
    nothing = Evidence((), Served(), {}, {}, is_first=False, present_quality={})
    assert judge(nothing, Demands()) == ()


def test_series_are_those_of_the_candidate_and_of_no_other() -> None:
    """D8: another version's, track's or environment's would judge for it."""
    candidate = Candidate("prod-staging", "feed", "7", "stable")
    assert candidate.select("ml_model_quality") == (
        'last_over_time(ml_model_quality{environment="prod-staging",pipeline="feed",model_version="7",'
        'track="stable"}[30m])'
    )
    assert candidate.select("ml_model_quality_bound") == (
        'last_over_time(ml_model_quality_bound{environment="prod-staging",pipeline="feed"}[30m])'
    )
    assert "ml_prediction_duration_seconds_count{" in candidate.select("ml_prediction_duration_seconds")


def test_what_is_not_in_the_contract_is_refused() -> None:
    with pytest.raises(MetricsError, match="ml_modell_quality: is not in the contract"):
        select("ml_modell_quality", "prod", "feed", {})


def test_labels_are_written_so_that_they_end_no_text() -> None:
    assert 'pipeline="a\\"b\\\\"' in select("ml_pipeline_info", "prod", 'a"b\\', {})


def test_nothing_is_not_zero() -> None:
    assert total([]) is None
    assert total([Value({}, 0.0), Value({}, 2.0)]) == 2


def test_of_replicas_that_differ_the_worst_counts() -> None:
    values = [Value({"metric": "auc"}, 0.8), Value({"metric": "auc"}, 0.7), Value({"metric": "mae"}, 3)]
    assert worst(values, "metric") == {"auc": 0.8, "mae": 3}
    assert worst(values, "metric", lowest=True) == {"auc": 0.7, "mae": 3}
