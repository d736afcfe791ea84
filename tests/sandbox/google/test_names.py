"""Names and labels are refused as the APIs refuse them."""

import pytest

from sandbox.google.errors import ApiError
from sandbox.google.facts import load_table
from sandbox.google.names import require_valid_labels, require_valid_names
from tests.sandbox.google.conftest import World

POOL = "gcp:container/nodePool:NodePool"


@pytest.mark.parametrize(
    ("token", "property_", "longest", "too_long"),
    [
        (POOL, "name", "p" * 40, "p" * 41),
        ("gcp:container/cluster:Cluster", "name", "c" * 40, "c" * 41),
        ("gcp:serviceaccount/account:Account", "accountId", "a" * 30, "a" * 31),
        ("gcp:serviceaccount/account:Account", "accountId", "a" * 6, "a" * 5),
        ("gcp:kms/keyRing:KeyRing", "name", "k" * 63, "k" * 64),
        ("gcp:storage/bucket:Bucket", "name", "b" * 63, "b" * 64),
        ("gcp:storage/bucket:Bucket", "name", "b-1", "B-1"),
        ("gcp:pubsub/topic:Topic", "name", "events", "google-events"),
    ],
)
def test_a_name_is_taken_up_to_its_limit(token: str, property_: str, longest: str, too_long: str) -> None:
    require_valid_names(token, {property_: longest})

    with pytest.raises(ApiError, match=f"Error 400: Invalid value for field '{property_}'"):
        require_valid_names(token, {property_: too_long})


def test_a_pool_with_too_long_a_name_is_not_created(world: World) -> None:
    with pytest.raises(ApiError, match="up to 40 lower-case letters"):
        world.make(POOL, cluster="dev", name="p" * 41)


@pytest.mark.parametrize(
    "labels", [{"Team": "a"}, {"team": "Ads"}, {"1": "a"}, {"team": "a" * 64}, {"k" * 64: "a"}]
)
def test_a_label_that_google_does_not_take_is_refused(labels: dict) -> None:
    with pytest.raises(ApiError, match="Label"):
        require_valid_labels(labels)


def test_labels_at_their_limits_are_taken() -> None:
    require_valid_labels({"k" * 63: "v" * 63, "empty": ""})
    require_valid_labels({f"k{number}": "v" for number in range(64)})

    with pytest.raises(ApiError, match="Too many labels: 65"):
        require_valid_labels({f"k{number}": "v" for number in range(65)})


def test_every_rule_of_names_has_a_source_and_a_date() -> None:
    rules = [rule for token, row in load_table("names").items() if token != "labels" for rule in row.values()]

    assert [rule for rule in rules if not (rule["source"] and rule["date"])] == []
