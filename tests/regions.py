"""Two stacks that deliver one model: releases begin in `test` and go on to `far`."""

import copy
from typing import Any

from headroom.planning.plan import Plan, plan_config
from headroom.planning.regions import Neighbours
from headroom.spec.stack_file import parse_config
from tests.components.deliveries import COMMON, config_of

LEAD, FAR = "test", "far"
FAR_PHASES = [{"percent": 10, "minutes": 40}]


def configs_of(
    common: dict[str, Any] = COMMON, far: dict[str, Any] | None = None, **far_delivery: Any
) -> dict[str, dict[str, Any]]:
    """The configurations of both, by stack; `far` and `far_delivery` are what the second one says besides."""
    leading = config_of(common | {"regions": [FAR]})
    following = config_of({"follows": LEAD} | (far or {}))
    (pipeline,) = following["headroom:pipelines"].values()
    pipelines = {"ranker": pipeline | {"delivery": {"phases": FAR_PHASES} | far_delivery}}
    place = {
        "gcp:project": "acme-ml-far",
        "gcp:region": "us-east1",
        "headroom:cluster": {"zones": ["us-east1-b", "us-east1-c"]},
        "headroom:pipelines": pipelines,
    }
    return copy.deepcopy({LEAD: leading, FAR: following | place})


def neighbours_of(configs: dict[str, dict[str, Any]]) -> Neighbours:
    return {stack: parse_config(config, f"Pulumi.{stack}.yaml") for stack, config in configs.items()}


def plan_of(configs: dict[str, dict[str, Any]], stack: str) -> Plan:
    """The plan of one of the stacks, which sees the others."""
    others = {name: platform for name, platform in neighbours_of(configs).items() if name != stack}
    return plan_config(configs[stack], stack, f"Pulumi.{stack}.yaml", neighbours=others)
