"""Who exports: refused where it is not known."""

from typing import Any

import pytest
from headroom_metrics import Exporter, Identity, MetricsError, load_identity

VARIABLES = {"HEADROOM_ENVIRONMENT": "prod", "HEADROOM_PIPELINE": "clicks-data"}
DATA: dict[str, Any] = {"kind": "data", "owner": "group:ads@acme.example", "tier": "production"}
SERVING = DATA | {"kind": "serving", "model_version": "7", "track": "stable"}
NAMED: dict[str, Any] = {"environment": "prod", "pipeline": "clicks"}


def test_identity_comes_from_the_environment_variables() -> None:
    identity = load_identity(**DATA, variables=VARIABLES)
    assert (identity.environment, identity.pipeline) == ("prod", "clicks-data")


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("value", [None, ""])
def test_absent_or_empty_variable_is_refused_by_name(name: str, value: str | None) -> None:
    variables = {key: given for key, given in (VARIABLES | {name: value}).items() if given is not None}
    with pytest.raises(MetricsError, match=f"{name} is not set"):
        load_identity(**DATA, variables=variables)


def test_process_environment_is_read_where_no_variables_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    assert load_identity(**DATA).pipeline == "clicks-data"


@pytest.mark.parametrize("name", ["Prod", "1st", "a-", "", "a" * 41, "a_b"])
def test_name_that_the_stack_file_could_not_have_is_refused(name: str) -> None:
    with pytest.raises(MetricsError, match="is no name"):
        Identity(environment=name, pipeline="clicks", **DATA)


def test_longest_name_is_taken() -> None:
    assert Identity(environment="prod", pipeline="a" * 40, **DATA).pipeline == "a" * 40


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({"kind": "batch"}, "kind: 'batch' is none of"),
        ({"tier": "staging"}, "tier: 'staging' is none of"),
        ({"track": "blue"}, "track: 'blue' is none of"),
        ({"track": ""}, "serving has one"),
        ({"model_version": ""}, "model_version"),
        ({"owner": ""}, "owner"),
    ],
)
def test_serving_pipeline_with_a_part_missing_or_wrong_is_refused(
    change: dict[str, str], phrase: str
) -> None:
    assert Identity(**NAMED, **SERVING).is_serving
    with pytest.raises(MetricsError, match=phrase):
        Identity(**NAMED, **(SERVING | change))


def test_track_of_what_does_not_serve_is_refused() -> None:
    with pytest.raises(MetricsError, match="no other kind has"):
        Identity(**NAMED, **(DATA | {"track": "stable"}))


def test_info_says_who_answers_and_whether_predictions_are_expected(serving: Exporter, read: Any) -> None:
    """M16: the alert on outages looks at the pipelines that say they serve."""
    labels = {"kind": "serving", "serving": "true", "owner": "group:ads@acme.example", "tier": "production"}
    assert read(serving, "ml_pipeline_info", **labels, model_version="7", track="canary") == 1


def test_info_of_a_batch_pipeline_expects_no_predictions(data: Exporter, read: Any) -> None:
    assert read(data, "ml_pipeline_info", serving="false", model_version="", track="") == 1


def test_version_and_track_of_what_serves_come_from_the_release() -> None:
    """D8: the same code is stable in one pod and canary in another."""
    given = VARIABLES | {"HEADROOM_MODEL_VERSION": "8", "HEADROOM_TRACK": "canary"}
    who = DATA | {"kind": "serving"}
    found = load_identity(**who, variables=given)
    assert (found.model_version, found.track) == ("8", "canary")
    assert load_identity(**SERVING, variables=given).model_version == "7"
    assert load_identity(**DATA, variables=given).track == ""
    with pytest.raises(MetricsError, match="track: 'blue' is none of"):
        load_identity(**who, variables=given | {"HEADROOM_TRACK": "blue"})
