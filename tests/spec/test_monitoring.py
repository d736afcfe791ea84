"""What a stack file may say of monitoring, and what is refused with file and key."""

from typing import Any

import pytest

from headroom.spec.errors import StackFileError
from headroom.spec.monitoring import PUSHGATEWAY_IMAGE, Monitoring, Objectives
from headroom.spec.stack_file import parse_config


def test_nothing_has_to_be_said(config: dict[str, Any]) -> None:
    assert parse_config(config, "f").monitoring == Monitoring()


def test_the_image_of_the_pushgateway_may_come_from_a_mirror(config: dict[str, Any]) -> None:
    digest = "us-docker.pkg.dev/acme-ml/mirror/pushgateway@sha256:" + "0a" * 32
    for image in (PUSHGATEWAY_IMAGE, digest):
        config["headroom:monitoring"] = {"pushgateway_image": image}
        assert parse_config(config, "f").monitoring.pushgateway_image == image


def test_objectives_have_usual_values(config: dict[str, Any]) -> None:
    config["headroom:monitoring"] = {"objectives": {"clicks": {}}}
    assert parse_config(config, "f").monitoring.objectives == {
        "clicks": Objectives(availability=0.999, latency=0.99)
    }


@pytest.mark.parametrize(
    ("monitoring", "message"),
    [
        ({"pushgateway_image": "pushgateway"}, "pushgateway_image: must look like us-docker.pkg.dev/acme-ml"),
        ({"pushgateway_image": "quay.io/prometheus/pushgateway"}, "pushgateway_image: must look like"),
        ({"objectives": {"clicks": {"availability": 0.99999}}}, "objectives.clicks.availability: must be at most 0.9999"),
        ({"objectives": {"clicks": {"latency": 0.4}}}, "objectives.clicks.latency: must be at least 0.5"),
        ({"objectives": {"Clicks!": {}}}, "objectives.Clicks!: is no valid name"),
        ({"slo": {}}, "slo: is no key of this section"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(config: dict[str, Any], monitoring: Any, message: str) -> None:
    with pytest.raises(StackFileError) as refused:
        parse_config(config | {"headroom:monitoring": monitoring}, "Pulumi.t.yaml")
    assert f"Pulumi.t.yaml: headroom:monitoring.{message}" in str(refused.value)
