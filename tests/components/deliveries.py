"""A small stack that delivers one model, and what its program asks for."""

from collections.abc import Callable
from functools import cache
from typing import Any

from headroom.planning.plan import Plan, plan_config
from tests.conftest import MINIMAL
from tests.mocks import Registered, record

Graph = dict[tuple[str, str], Registered]
Runner = Callable[[Plan], list[Registered]]
DIGEST = "us-docker.pkg.dev/acme-tools/ml/validate@sha256:" + "a1" * 32
COMMON: dict[str, Any] = {
    "approvals": {
        "release": ["group:releasers@acme.dev"],
        "begin": ["group:approvers@acme.dev"],
        "increase": ["user:ada@acme.dev"],
        "roll_back": ["group:on-call@acme.dev"],
    },
    "validation_image": DIGEST,
    "freezes": {
        "fridays": {"kind": "weekly", "days": ["fri"], "start": "14:00", "time_zone": "Europe/Berlin"},
        "year-end": {"kind": "once", "start": "2026-12-18T17:30:00Z", "end": "2027-01-04T07:00:00Z"},
    },
    "builders": ["ci@acme-ml-test.iam.gserviceaccount.com"],
    "images": ["us-docker.pkg.dev/acme-tools/batch/**"],
}
PHASES = [{"percent": 5, "minutes": 30, "hold": True}, {"percent": 50, "minutes": 45}]


def config_of(common: dict[str, Any] = COMMON, **delivery: Any) -> dict[str, Any]:
    demand = {
        "pool": "cpu",
        "qps": 100,
        "latency_ms": 80,
        "service_time_ms": 8,
        "replica": {"cpu": 1, "memory": "2Gi"},
    }
    limits = {"cpu": {"guarantee": 2, "cap": 8}, "memory": {"guarantee": "4Gi", "cap": "16Gi"}}
    serving = {
        "kind": "serving",
        "model": "m",
        "owner": "group:owners@acme.dev",
        "demand": demand,
        "limits": {"cpu": limits},
        "delivery": {"phases": PHASES, "retries": 2} | delivery,
    }
    return MINIMAL | {"headroom:delivery": common, "headroom:pipelines": {"ranker": serving}}


def build(run: Runner, common: dict[str, Any] = COMMON, **delivery: Any) -> Graph:
    return index(run(plan_config(config_of(common, **delivery), "test", "f")))


def index(graph: list[Registered]) -> Graph:
    return {(each.type.rpartition(":")[2], each.name): each for each in graph}


@cache
def record_deliveries() -> Graph:
    """What the program asks for, by type and name."""

    async def main() -> None:
        from infra.stack import build

        await build(plan_config(config_of(), "test", "f")).registered()

    return index(record("test", main))
