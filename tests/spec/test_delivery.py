"""What a stack file may say of deliveries, and what is refused with file and key."""

from typing import Any

import pytest

from headroom.spec.delivery import Delivery
from headroom.spec.errors import StackFileError
from headroom.spec.stack_file import parse_config

DIGEST = "us-docker.pkg.dev/acme-ml/tools/validate@sha256:" + "a1" * 32
FREEZE = {"kind": "once", "start": "2026-12-18T17:00:00Z", "end": "2027-01-04T07:00:00Z"}
WEEKLY = {"kind": "weekly", "days": ["fri"], "start": "14:00", "time_zone": "Europe/Berlin"}


def with_delivery(config: dict[str, Any], delivery: Any) -> dict[str, Any]:
    serving = {"kind": "serving", "model": "m", "owner": "user:a@b.co", "delivery": delivery}
    demand = {"pool": "cpu", "qps": 100, "latency_ms": 80, "service_time_ms": 8}
    return config | {"headroom:pipelines": {"s": serving | {"demand": demand}}}


def refusal(config: dict[str, Any]) -> str:
    with pytest.raises(StackFileError) as refused:
        parse_config(config, "Pulumi.t.yaml")
    return str(refused.value)


def test_nothing_has_to_be_said(config: dict[str, Any]) -> None:
    platform = parse_config(with_delivery(config, {}), "f")
    assert platform.delivery == Delivery()
    assert platform.pipelines["s"].delivery.preset == "standard"


def test_freezes_of_both_kinds_are_taken(config: dict[str, Any]) -> None:
    freezes = {"year-end": FREEZE, "fridays": WEEKLY}
    platform = parse_config(config | {"headroom:delivery": {"freezes": freezes}}, "f")
    assert set(platform.delivery.freezes) == set(freezes)


@pytest.mark.parametrize(
    ("delivery", "message"),
    [
        ({"preset": "brave"}, "delivery.preset: must be one of cautious, standard, fast"),
        ({"phases": []}, "delivery.phases: needs at least 1"),
        ({"phases": [{"percent": 100, "minutes": 30}]}, "delivery.phases[0].percent: must be at most 99"),
        ({"phases": [{"percent": 5, "minutes": 3000}]}, "delivery.phases[0].minutes: must be at most 2880"),
        ({"retries": 11}, "delivery.retries: must be at most 10"),
        ({"staging": {"replicas": 0}}, "delivery.staging.replicas: must be at least 1"),
        ({"validation": {"image": "us-docker.pkg.dev/acme-ml/tools/validate:v1"}}, "delivery.validation.image: must look like"),
        ({"validation": {"image": DIGEST.replace("@", ":v1@")}}, "delivery.validation.image: must look like"),
        ({"validation": {"quality": {"auc": {}}}}, "delivery.validation.quality.auc: bounds nothing; give min, max or both"),
        ({"validation": {"quality": {"auc": {"min": 2, "max": 1}}}}, "delivery.validation.quality.auc: min is 2, above max, which is 1"),
        ({"validation": {"skew": 0}}, "delivery.validation.skew: "),
        ({"approvals": {"begin": ["ada@b.co"]}}, "delivery.approvals.begin[0]: must look like group:ads-ml@acme.example"),
        ({"canary": 5}, "delivery.canary: is no key of this section"),
    ],
)  # fmt: skip
def test_a_delivery_that_cannot_be_is_refused_with_its_key(
    config: dict[str, Any], delivery: dict[str, Any], message: str
) -> None:
    assert f"Pulumi.t.yaml: headroom:pipelines.s.{message}" in refusal(with_delivery(config, delivery))


@pytest.mark.parametrize(
    ("common", "message"),
    [
        ({"freezes": {"f": FREEZE | {"end": FREEZE["start"]}}}, "freezes.f: end is not after start"),
        ({"freezes": {"f": FREEZE | {"start": "2026-12-18"}}}, "freezes.f.start: must be date and time with a zone"),
        ({"freezes": {"f": WEEKLY | {"end": "06:00"}}}, "freezes.f: end is not after start; a night is two freezes"),
        ({"freezes": {"f": WEEKLY | {"days": ["fri", "fri"]}}}, "freezes.f: names a day twice"),
        ({"freezes": {"f": WEEKLY | {"start": "2 pm"}}}, "freezes.f.start: must look like 14:00"),
        ({"freezes": {"f": {"kind": "yearly"}}}, "freezes.f.kind: must be one of once, weekly"),
        ({"validation_image": "validate"}, "validation_image: must look like"),
        ({"builders": ["ci"]}, "builders[0]: must look like ml-oncall@acme.example"),
        ({"images": ["*"]}, "images[0]: must look like us-docker.pkg.dev/acme-ml-tools/batch/**"),
    ],
)  # fmt: skip
def test_what_deliveries_have_in_common_is_refused_with_its_key(
    config: dict[str, Any], common: dict[str, Any], message: str
) -> None:
    assert f"Pulumi.t.yaml: headroom:delivery.{message}" in refusal(config | {"headroom:delivery": common})


def test_only_serving_is_delivered(config: dict[str, Any]) -> None:
    limits = {"cpu": {"cpu": {"guarantee": 1, "cap": 2}, "memory": {"guarantee": "1Gi", "cap": "2Gi"}}}
    data = {"kind": "data", "model": "m", "owner": "user:a@b.co", "limits": limits, "delivery": {}}
    text = refusal(config | {"headroom:pipelines": {"d": data}})
    assert "headroom:pipelines.d.delivery: is no key of this section" in text
