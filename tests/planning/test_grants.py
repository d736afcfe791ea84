"""What is granted, and how a plan stands against it."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.catalog.quotas import QuotaLine
from headroom.planning.grants import (
    UNLIMITED,
    Grant,
    Grants,
    Preference,
    compare,
    find_grant,
    keep_relevant,
    parse_grants,
    render_grants,
)
from headroom.planning.plan import plan_config
from headroom.planning.quota import QuotaDraw
from headroom.spec.errors import StackFileError
from headroom.spec.stack_file import load_config

COMPUTE = "compute.googleapis.com"
REGION = "us-central1"
L4 = QuotaLine("NVIDIA-L4-GPUS-per-project-region", REGION)
ALL_GPUS = QuotaLine("GPUS-ALL-REGIONS-per-project", None)
H100 = QuotaLine("GPUS-PER-GPU-FAMILY-per-project-region", REGION, (("gpu_family", "NVIDIA_H100"),))
NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


def grant(line: QuotaLine, value: int, region: str | None = REGION, **dimensions: str) -> Grant:
    return Grant(COMPUTE, line.quota_id, region, tuple(sorted(dimensions.items())), value)


def grants(*items: Grant) -> Grants:
    return Grants("acme-ml-test", NOW, items)


def standing(line: QuotaLine, amount: int, *items: Grant) -> tuple[str, int | None, int]:
    found = compare([QuotaDraw(line, "", amount)], grants(*items))[0]
    return found.state, found.left, found.short_by


def test_a_grant_suffices_exactly_until_it_is_exceeded() -> None:
    """Q1."""
    assert standing(L4, 7, grant(L4, 8)) == ("enough", 1, 0)
    assert standing(L4, 8, grant(L4, 8)) == ("enough", 0, 0)
    assert standing(L4, 9, grant(L4, 8)) == ("short", 0, 1)


def test_a_grant_of_zero_is_short_and_an_absent_one_is_unknown() -> None:
    assert standing(ALL_GPUS, 4, grant(ALL_GPUS, 0, region=None)) == ("short", 0, 4)
    assert standing(ALL_GPUS, 4) == ("unknown", None, 0)
    assert compare([QuotaDraw(L4, "", 1)], None)[0].state == "unknown"


def test_unlimited_is_enough_for_anything() -> None:
    assert standing(L4, 10**15, grant(L4, UNLIMITED)) == ("enough", None, 0)


def test_the_most_specific_grant_wins_wherever_it_stands() -> None:
    general, regional = grant(H100, 100, region=None), grant(H100, 50)
    exact = grant(H100, 8, gpu_family="NVIDIA_H100")
    other = grant(H100, 1000, gpu_family="NVIDIA_H200")
    for items in ((general, regional, exact, other), (other, exact, regional, general)):
        assert find_grant(H100, items) == exact
    assert find_grant(H100, (general, regional, other)) == regional
    assert find_grant(H100, (general, other)) == general


def test_the_first_of_equally_specific_grants_wins() -> None:
    assert find_grant(L4, (grant(L4, 1), grant(L4, 2))) == grant(L4, 1)


@pytest.mark.parametrize(
    "item",
    [
        grant(L4, 9, region="us-east1"),
        Grant("tpu.googleapis.com", L4.quota_id, REGION, (), 9),
        grant(L4, 9, network_id="x"),
        grant(ALL_GPUS, 9, region=None),
    ],
    ids=["another region", "another service", "a dimension that the draw has not", "another quota"],
)
def test_a_grant_of_something_else_says_nothing(item: Grant) -> None:
    assert standing(L4, 1, item)[0] == "unknown"


def test_a_grant_for_one_region_is_none_for_the_project() -> None:
    assert standing(ALL_GPUS, 1, grant(ALL_GPUS, 9, region=REGION))[0] == "unknown"


def test_what_is_kept_is_what_the_plan_draws_and_what_the_catalog_knows() -> None:
    odd = QuotaLine("LOCAL-SSD-TOTAL-GB-PER-VM-FAMILY-per-project-region", REGION, (("vm_family", "A3"),))
    offered = [
        grant(odd, 48_000, vm_family="A3"),
        grant(odd, 1_000, vm_family="Z9"),
        grant(odd, 500),
        grant(L4, 16, region="us-east1"),
        grant(L4, 8),
        grant(H100, 40),
        grant(QuotaLine("SUBNETWORKS-per-project", None), 100, region=None),
    ]
    kept = keep_relevant(offered, [QuotaDraw(odd, "", 6_000)], "acme-ml-test", REGION, NOW)
    assert {(item.quota_id, item.dimensions): item.value for item in kept.grants} == {
        (odd.quota_id, (("vm_family", "A3"),)): 48_000,
        (L4.quota_id, ()): 8,
        **{
            (H100.quota_id, (("gpu_family", family),)): 40
            for family in ("NVIDIA_H100", "NVIDIA_H100_MEGA", "NVIDIA_RTX_PRO_6000")
        },
    }
    assert all(item.region == REGION for item in kept.grants)
    assert list(kept.grants) == sorted(kept.grants, key=lambda item: (item.quota_id, item.dimensions))


@pytest.mark.parametrize("value", [UNLIMITED, 9_223_372_036_854_775_807, 9_200_000_000_000_000_000])
def test_every_way_of_saying_unlimited_is_written_as_minus_one(value: int) -> None:
    kept = keep_relevant([grant(L4, value)], [], "acme-ml-test", REGION, NOW)
    assert [item.value for item in kept.grants] == [UNLIMITED]


def test_grants_are_stale_after_thirty_days() -> None:
    held = grants()
    assert not held.is_stale(NOW + timedelta(days=30))
    assert held.is_stale(NOW + timedelta(days=30, seconds=1))


def asked(line: QuotaLine, name: str, region: str | None = REGION, preferred: int = 16) -> Preference:
    return Preference(name, COMPUTE, line.quota_id, region, line.dimensions, preferred, 8, reconciling=True)


def test_requests_are_kept_that_stand_in_the_way_of_ours() -> None:
    """Those of the very quota: one for all regions, for another region or for another family does not collide."""
    offered = [
        asked(L4, "of-the-region"),
        asked(H100, "of-the-family"),
        asked(ALL_GPUS, "of-the-project", region=None),
        asked(L4, "of-all-regions", region=None),
        asked(L4, "elsewhere", region="us-east1"),
        asked(QuotaLine("SUBNETWORKS-per-project", None), "unknown-quota", region=None),
    ]
    kept = keep_relevant([], [], "acme-ml-test", REGION, NOW, offered)
    assert kept.preferences
    assert {each.name for each in kept.preferences} == {"of-the-region", "of-the-family", "of-the-project"}
    assert keep_relevant([], [], "acme-ml-test", REGION, NOW, []).preferences == ()
    assert keep_relevant([], [], "acme-ml-test", REGION, NOW).preferences is None


def test_a_file_that_does_not_speak_of_requests_says_that_they_are_unknown() -> None:
    read = parse_grants(json.dumps(document()).encode(), "f", "acme-ml-test")
    assert read.preferences is None
    assert '"preferences"' not in render_grants(read)
    read = parse_grants(json.dumps(document(preferences=[])).encode(), "f", "acme-ml-test")
    assert read.preferences == ()
    assert '"preferences": []' in render_grants(read)


rows = st.builds(
    Grant,
    service=st.just(COMPUTE),
    quota_id=st.from_regex(r"\A[A-Z][A-Z0-9-]{0,20}\Z"),
    region=st.sampled_from([None, "us-central1", "europe-west4"]),
    dimensions=st.dictionaries(st.sampled_from(["vm_family", "gpu_family"]), st.text(max_size=8)).map(
        lambda pairs: tuple(sorted(pairs.items()))
    ),
    value=st.integers(-1, 8 * 10**18),
)


requests = st.builds(
    Preference,
    name=st.from_regex(r"\A[A-Za-z0-9_-]{1,63}\Z"),
    service=st.just(COMPUTE),
    quota_id=st.from_regex(r"\A[A-Z][A-Z0-9-]{0,20}\Z"),
    region=st.sampled_from([None, "us-central1"]),
    dimensions=st.sampled_from([(), (("gpu_family", "NVIDIA_H100"),)]),
    preferred=st.integers(-1, 8 * 10**18),
    granted=st.none() | st.integers(-1, 8 * 10**18),
    reconciling=st.booleans(),
)


def which(row: Grant | Preference) -> tuple[object, ...]:
    return row.quota_id, row.region, row.dimensions


@given(st.lists(rows, unique_by=which), st.lists(requests, unique_by=which), st.randoms())
def test_a_file_reads_back_as_it_was_written_in_any_order(
    items: list[Grant], asked: list[Preference], chance: Any
) -> None:
    text = render_grants(Grants("acme-ml-test", NOW, tuple(items), tuple(asked)))
    read = parse_grants(text.encode(), "f", "acme-ml-test")
    assert set(read.grants) == set(items)
    assert set(read.preferences or ()) == set(asked)
    assert read.pulled == NOW
    chance.shuffle(items)
    chance.shuffle(asked)
    again = render_grants(Grants("acme-ml-test", NOW, tuple(items), tuple(asked)))
    assert again == text == render_grants(read)


def document(**changes: Any) -> dict[str, Any]:
    row = {"service": COMPUTE, "quota_id": "X", "region": None, "dimensions": {}, "value": 1}
    return {"project": "acme-ml-test", "pulled": "2026-11-21T08:30:00Z", "grants": [row]} | changes


def problems(content: bytes | dict[str, Any], project: str = "acme-ml-test") -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    with pytest.raises(StackFileError) as refusal:
        parse_grants(raw, "quotas/dev.json", project)
    assert all(line.startswith("quotas/dev.json: ") for line in str(refusal.value).splitlines())
    return str(refusal.value)


@pytest.mark.parametrize(
    ("content", "phrase"),
    [
        (b"", "is not valid JSON, at line 1, column 1"),
        (b"\xff\xfe", "is not text in UTF-8"),
        (b"[]", "must be a mapping"),
        (b"null", "must be a mapping"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"project": 1, "project": 2}', "the same key twice"),
        (b'{"project": NaN}', "such as NaN"),
        (b'{"value": ' + b"9" * 5000 + b"}", "has a number too long"),
        (b" " * (5 * 2**20), "is larger than 4 MiB"),
    ],
)
def test_what_is_no_json_mapping_is_refused_with_cause_and_remedy(content: bytes, phrase: str) -> None:
    text = problems(content)
    assert phrase in text
    assert "`headroom quota pull` writes the file anew" in text


@pytest.mark.parametrize(
    ("changes", "where", "phrase"),
    [
        ({"pulled": "yesterday"}, "pulled", "must look like 2026-11-21T08:30:00Z"),
        ({"pulled": "2026-13-41T08:30:00Z"}, "pulled", "is no time that there is"),
        ({"pulled": 5}, "pulled", "must be text"),
        ({"grants": {}}, "grants", "must be a list"),
        ({"grant": []}, "grant", "did you mean grants?"),
    ],
)
def test_a_key_that_is_wrong_is_named(changes: dict[str, Any], where: str, phrase: str) -> None:
    text = problems(document(**changes))
    assert f"quotas/dev.json: {where}: " in text
    assert phrase in text


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"value": "8"}, "grants[0].value"),
        ({"value": -2}, "grants[0].value"),
        ({"value": 2**63}, "grants[0].value"),
        ({"value": True}, "grants[0].value"),
        ({"value": 1.5}, "grants[0].value"),
        ({"value": None}, "grants[0].value"),
        ({"region": "us-central1-a"}, "grants[0].region"),
        ({"quota_id": "a b"}, "grants[0].quota_id"),
        ({"dimensions": {"a": 1}}, "grants[0].dimensions.a"),
        ({"limit": 1}, "grants[0].limit"),
    ],
)
def test_a_grant_that_is_wrong_is_named_by_its_place(changes: dict[str, Any], where: str) -> None:
    data = document()
    data["grants"][0] |= changes
    assert f"quotas/dev.json: {where}: " in problems(data)


def test_a_missing_key_is_required_even_where_null_is_allowed() -> None:
    data = document()
    del data["grants"][0]["region"]
    assert "grants[0].region: is required" in problems(data)


def test_the_same_quota_twice_is_refused() -> None:
    data = document()
    data["grants"] *= 2
    assert "the same quota stands there twice: X, all regions" in problems(data)


@pytest.mark.parametrize(
    ("changes", "phrase"),
    [
        ({"preferred": "16"}, "preferences[0].preferred: must be a whole number"),
        ({"preferred": -2}, "preferences[0].preferred: "),
        ({"name": "a/b"}, "preferences[0].name: "),
        ({"reconciling": "no"}, "preferences[0].reconciling: "),
    ],
)
def test_a_request_that_is_malformed_is_refused(changes: dict[str, Any], phrase: str) -> None:
    row = document()["grants"][0] | {"name": "n", "preferred": 1, "granted": None, "reconciling": False}
    del row["value"]
    assert phrase in problems(document(preferences=[row | changes]))


def test_two_requests_for_one_quota_are_refused() -> None:
    row = document()["grants"][0] | {"preferred": 1, "granted": 1, "reconciling": False}
    del row["value"]
    data = document(preferences=[row | {"name": "a"}, row | {"name": "b"}])
    assert "the same quota stands there twice: X, all regions" in problems(data)


def test_grants_of_another_project_are_refused() -> None:
    text = problems(document(), project="acme-ml-prod")
    assert text.startswith("quotas/dev.json: project: is not the stack's gcp:project, acme-ml-prod; ")


@given(st.binary(max_size=200))
def test_no_bytes_end_in_anything_but_a_refusal(content: bytes) -> None:
    with suppress(StackFileError):
        parse_grants(content, "f", "acme-ml-test")


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_committed_grants_suffice_for_the_committed_stack_with_something_to_spare(
    root: Path, stack: str
) -> None:
    """Q1."""
    plan = plan_config(load_config(root / f"Pulumi.{stack}.yaml"), stack, "f")
    text = (root / "quotas" / f"{stack}.json").read_text()
    held = parse_grants(text.encode(), f"quotas/{stack}.json", plan.project)
    assert render_grants(held) == text
    for found in compare(plan.quota, held):
        assert found.state == "enough", found
        assert found.left is None or found.left > 0, found
