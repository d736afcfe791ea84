"""Cloud Quotas through the real client, against the imitation."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from headroom.catalog.quotas import QuotaLine
from headroom.catalog.zones import regions
from headroom.live.connection import Connection, UnansweredError
from headroom.live.quotas import list_grants, list_preferences
from headroom.planning.grants import UNLIMITED, Grant, Preference, find_grant, keep_relevant
from sandbox.google.apis import admin, cloud_quotas
from sandbox.google.world import World
from tests.live.conftest import PROJECT, Google

REGION = "us-central1"
L4 = QuotaLine("NVIDIA-L4-GPUS-per-project-region", REGION)


def value(grants: tuple[Grant, ...], line: QuotaLine) -> int | None:
    found = find_grant(line, grants)
    return found.value if found else None


def test_every_page_is_read(connection: Connection) -> None:
    """More quotas than fit on a page, of which the last ones are there too."""
    ids = {grant.quota_id for grant in list_grants(connection)}
    assert len(ids) > 40
    assert {"A2-CPUS-per-project-region", "TPUS-PER-TPU-FAMILY-per-project-region"} <= ids


def test_limits_of_one_region_are_found_before_those_of_all(google: Google, connection: Connection) -> None:
    google.store.set_limit(PROJECT, f"{L4.quota_id}/{REGION}", 5)
    grants = list_grants(connection)
    assert value(grants, L4) == 5
    assert value(grants, QuotaLine(L4.quota_id, "us-east1")) == 128


def test_limits_of_a_dimension_are_found_before_those_of_the_region(
    google: Google, connection: Connection
) -> None:
    quota = "GPUS-PER-GPU-FAMILY-per-project-region"
    google.store.set_limit(PROJECT, f"{quota}/{REGION}/gpu_family=NVIDIA_H100", 7)
    google.store.set_limit(PROJECT, f"{quota}/{REGION}", 3)
    grants = list_grants(connection)
    assert value(grants, QuotaLine(quota, REGION, (("gpu_family", "NVIDIA_H100"),))) == 7
    assert value(grants, QuotaLine(quota, REGION, (("gpu_family", "NVIDIA_H200"),))) == 3


def test_a_limit_of_the_project_is_of_no_region(google: Google, connection: Connection) -> None:
    google.store.set_limit(PROJECT, "GPUS-ALL-REGIONS-per-project/global", 0)
    grants = list_grants(connection)
    assert value(grants, QuotaLine("GPUS-ALL-REGIONS-per-project", None)) == 0


def test_unlimited_is_kept_as_unlimited(google: Google, connection: Connection) -> None:
    google.store.set_limit(PROJECT, f"{L4.quota_id}/{REGION}", 2.0**63)
    kept = keep_relevant(list_grants(connection), [], PROJECT, REGION, datetime.now(UTC))
    assert value(kept.grants, L4) == UNLIMITED


def test_a_quota_that_is_not_listed_is_not_zero_but_absent(google: Google, connection: Connection) -> None:
    google.change(unlisted_quotas=(L4.quota_id,))
    assert value(list_grants(connection), L4) is None


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"details": {"value": "4"}, "applicableLocations": [REGION]}, 4),
        ({"details": {"value": "4"}, "applicableLocations": ["us-central1-a", "us-central1-b"]}, None),
        ({"details": {"value": "4"}, "applicableLocations": ["us-east1"]}, None),
        ({"details": {"value": "4"}, "dimensions": {"zone": "us-central1-a", "region": REGION}}, None),
        ({"details": {"value": "-1"}, "applicableLocations": [REGION]}, UNLIMITED),
        ({"details": {"value": "-7"}, "applicableLocations": [REGION]}, None),
        ({"details": {}, "applicableLocations": [REGION]}, 0),
        ({"applicableLocations": [REGION]}, None),
        ({"details": {"value": "4"}}, 4),
    ],
    ids=[
        "a region", "zones only", "another region", "a zone's", "unlimited", "nonsense", "a value left out",
        "no details", "no locations",
    ],
)  # fmt: skip
def test_each_shape_of_an_answer_is_read_as_what_it_says(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, row: dict[str, Any], expected: int | None
) -> None:
    monkeypatch.setattr(cloud_quotas, "_describe_limits", lambda *_, **__: [row])
    grants = list_grants(connection)
    assert value(grants, L4) == expected
    assert {grant.region for grant in grants} <= {None, REGION, "us-east1"}


def test_a_disabled_api_is_named_with_the_command_that_enables_it(
    google: Google, connection: Connection
) -> None:
    admin.disable_api(google.store, PROJECT, "cloudquotas.googleapis.com")
    with pytest.raises(UnansweredError) as refusal:
        list_grants(connection)
    assert str(refusal.value) == "the API cloudquotas.googleapis.com is not enabled"
    assert refusal.value.remedy == f"gcloud services enable cloudquotas.googleapis.com --project={PROJECT}"


def test_every_request_is_listed_whoever_made_it(
    google: Google, connection: Connection, tmp_path: Path
) -> None:
    """More than fit on a page; the region is told from the other dimensions, pending from decided."""
    console = World(tmp_path / "cloud.sqlite")
    family = "GPUS-PER-GPU-FAMILY-per-project-region"
    console.request_quota(PROJECT, f"{family}/{REGION}/gpu_family=NVIDIA_H100", 32, "console-1")
    console.answer_requests("partly")
    console.request_quota(PROJECT, "GPUS-ALL-REGIONS-per-project/global", 256, "console-2")
    for number, region in enumerate(list(regions())[:25]):
        console.request_quota(PROJECT, f"{L4.quota_id}/{region}", 200, f"more-{number}")
    found = list_preferences(connection)
    assert len(found) == 27
    service = "compute.googleapis.com"
    h100 = (("gpu_family", "NVIDIA_H100"),)
    assert found[:2] == (
        Preference("console-1", service, family, REGION, h100, 32, 16, reconciling=True),
        Preference(
            "console-2", service, "GPUS-ALL-REGIONS-per-project", None, (), 256, 192, reconciling=False
        ),
    )


def test_a_request_without_an_answer_is_not_one_that_was_answered_with_zero(
    google: Google, connection: Connection, tmp_path: Path
) -> None:
    console = World(tmp_path / "cloud.sqlite")
    console.set_quota(PROJECT, f"{L4.quota_id}/{REGION}", 0)
    console.request_quota(PROJECT, f"{L4.quota_id}/{REGION}", 8, "console-1")
    assert [each.granted for each in list_preferences(connection)] == [0]
    console.drift("console-1", "quotaConfig.grantedValue", "")
    assert [each.granted for each in list_preferences(connection)] == [None]
