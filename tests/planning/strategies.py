"""Valid pools and platforms, drawn from the whole catalog."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from hypothesis import strategies as st

from headroom.catalog.accelerators import find_accelerator
from headroom.catalog.machines import Machine, find_machine, machine_names
from headroom.catalog.topologies import is_multi_host, parse_topology, valid_topologies
from headroom.catalog.zones import offers, regions, zones_in, zones_with
from headroom.planning.allocation import Share
from headroom.planning.grants import Grant, Grants
from headroom.planning.plan import Plan, plan_config
from tests.conftest import MINIMAL

MACHINES = [machine for name in machine_names() if (machine := find_machine(name)) is not None]


def _offers(machine: Machine) -> dict[str, list[str]]:
    """Zones with the machine, by region."""
    known = zones_with(machine.family)
    everywhere = {region: list(zones_in(region)) for region in regions()}
    if known is None:
        return everywhere
    return {
        region: offered
        for region, zones in everywhere.items()
        if (offered := [z for z in zones if z in known])
    }


OFFERS = {machine: zones for machine in MACHINES if (zones := _offers(machine))}
MACHINES_ON_OFFER = sorted(OFFERS, key=lambda machine: machine.name)


@st.composite
def pools(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A region, and a pool that can be had there."""
    machine = draw(st.sampled_from(MACHINES_ON_OFFER))
    region = draw(st.sampled_from(sorted(OFFERS[machine])))
    return region, _draw_pool(draw, machine, region)


def _draw_pool(draw: st.DrawFn, machine: Machine, region: str) -> dict[str, Any]:
    zones = draw(st.lists(st.sampled_from(OFFERS[machine][region]), min_size=1, max_size=3, unique=True))
    pool: dict[str, Any] = {"machine": machine.name, "zones": zones}
    pool["capacity"] = draw(st.sampled_from(machine.capacities))
    if pool["capacity"] == "reservation":
        pool["capacity"] = {"kind": "reservation", "names": ["r-1", "r-2"]}
    sliced = _add_topology(draw, machine, pool)
    comes_and_goes = pool["capacity"] in ("flex-start", "queued")
    least = 0 if comes_and_goes else draw(st.integers(0, 2))
    pool["slices" if sliced else "nodes"] = {"min": least, "max": draw(st.integers(max(least, 1), 6))}
    if not sliced and not comes_and_goes:
        pool["upgrade"] = draw(st.sampled_from(["surge", {"strategy": "surge", "max_surge": 3}]))
    _add_gpu(draw, machine, pool)
    if machine.local_ssd_choices and not machine.local_ssds:
        pool["local_ssd"] = draw(st.sampled_from(machine.local_ssd_choices))
    pool["boot_disk"] = {
        "type": draw(st.sampled_from(machine.boot_disks)),
        "size": f"{draw(st.integers(10, 500))}Gi",
    }
    return pool


def _add_topology(draw: st.DrawFn, machine: Machine, pool: dict[str, Any]) -> bool:
    if machine.kind != "tpu":
        return False
    pool["topology"] = draw(st.sampled_from(valid_topologies(machine)))
    return is_multi_host(machine, parse_topology(pool["topology"]))


def _add_gpu(draw: st.DrawFn, machine: Machine, pool: dict[str, Any]) -> None:
    accelerator = find_accelerator(machine.accelerator or "")
    if accelerator is None or accelerator.kind != "gpu" or not draw(st.booleans()):
        return
    gpu: dict[str, Any] = {"driver": draw(st.sampled_from(["default", "latest", "disabled"]))}
    if accelerator.partitions and machine.device_fraction == 1 and draw(st.booleans()):
        gpu["partition"] = draw(st.sampled_from(sorted(accelerator.partitions)))
    if draw(st.booleans()):
        strategy = "time-sharing" if "partition" in gpu else draw(st.sampled_from(["time-sharing", "mps"]))
        gpu["sharing"] = {"strategy": strategy, "clients": draw(st.integers(2, 48))}
    pool["gpu"] = gpu


PLAIN = [
    machine
    for machine in MACHINES
    if machine.kind == "cpu" and machine.architecture == "x86" and machine.vcpus == 4
]
NEVER = datetime(2026, 11, 21, tzinfo=UTC)


def system_pool(zones: list[str]) -> dict[str, Any]:
    """A plain machine that the zones have: the newest regions and the oldest have not all of them."""
    machine = next(each for each in PLAIN if all(offers(zone, each) for zone in zones))
    return {"machine": machine.name, "nodes": {"min": 1, "max": 3}}


@dataclass(frozen=True)
class DrawnPlatform:
    """A configuration, and what is granted of the cloud's quota; None: nothing is known."""

    config: dict[str, Any]
    grants: Grants | None

    def plan(self) -> Plan:
        """What is decided about it."""
        return plan_config(self.config, "test", "f", self.grants)

    @property
    def lends(self) -> bool:
        """Whether the headroom is lent while it is idle."""
        return self.config["headroom:quota"]["experiments"]["lend"]


@st.composite
def platforms(draw: st.DrawFn) -> DrawnPlatform:
    """Up to three pools, shared by up to four pipelines and the experiments, within all of the cloud's quota or
    what is granted of it."""
    config = draw(_bare_platforms())
    alone = plan_config(config, "test", "f")
    config["headroom:pipelines"] = _draw_pipelines(draw, alone)
    return DrawnPlatform(config, _draw_grants(draw, alone))


@st.composite
def _bare_platforms(draw: st.DrawFn) -> dict[str, Any]:
    region, first = draw(pools())
    nearby = [machine for machine in MACHINES_ON_OFFER if region in OFFERS[machine]]
    others = draw(st.lists(st.sampled_from(nearby), max_size=2))
    drawn = [first, *(_draw_pool(draw, machine, region) for machine in others)]
    shares = st.floats(0.01, 0.9)
    experiments: dict[str, Any] = {
        "share": draw(shares),
        "lend": draw(st.booleans()),
        "borrow": draw(st.booleans()),
    }
    if draw(st.booleans()):
        experiments["pools"] = {"p0": draw(st.one_of(st.just(0.0), shares))}
    return MINIMAL | {
        "gcp:region": region,
        "headroom:cluster": {"zones": first["zones"], "system_pool": system_pool(first["zones"])},
        "headroom:pools": {f"p{number}": pool for number, pool in enumerate(drawn)},
        "headroom:network": {"nodes": "10.0.0.0/16", "pods": "100.64.0.0/10"},
        "headroom:quota": {"experiments": experiments, "grants": "awaited"},
    }


def _draw_pipelines(draw: st.DrawFn, alone: Plan) -> dict[str, Any]:
    """Pipelines whose promises fit into the pools."""
    by_pool = {name: tuple(group) for name, group in groupby(alone.shares, key=lambda share: share.pool)}
    stated = {
        name: [each for each in shares if _is_required(each, shares) or draw(st.booleans())]
        for name, shares in by_pool.items()
        if all(share.available >= share.unit for share in shares)
    }
    left = {(share.pool, share.resource): share.available for share in alone.shares}
    pipelines = {}
    for number in range(draw(st.integers(1, 4)) if stated else 0):
        limits = {}
        for pool in draw(st.lists(st.sampled_from(sorted(stated)), min_size=1, unique=True)):
            limits[pool] = _draw_limits(draw, stated[pool], left)
        pipelines[f"pipeline-{number}"] = {
            "kind": "training",
            "model": "m",
            "owner": "user:ada@acme.example",
            "limits": limits,
        }
    return pipelines


def _is_required(share: Share, shares: Iterable[Share]) -> bool:
    """On accelerators the host's cpu and memory may be left to follow the devices."""
    return share.resource in ("gpus", "chips") or len(tuple(shares)) == 2


def _draw_limits(
    draw: st.DrawFn, shares: Iterable[Share], left: dict[tuple[str, str], int]
) -> Mapping[str, Mapping[str, int | str]]:
    limits = {}
    for share in shares:
        key = share.pool, share.resource
        # Memory below 1Mi is refused, as it is meant for something else.
        least = {"cpu": 1, "memory": 2**20}.get(share.resource, share.unit)
        guarantee = draw(st.integers(0, left[key] // least)) * least
        cap = draw(st.integers(max(1, guarantee // least), share.available // least)) * least
        left[key] -= guarantee
        limits[share.resource] = {
            name: f"{amount}m" if share.resource == "cpu" else amount
            for name, amount in (("guarantee", guarantee), ("cap", cap))
        }
    return limits


def _draw_grants(draw: st.DrawFn, alone: Plan) -> Grants | None:
    if draw(st.booleans()):
        return None
    granted = tuple(
        Grant(
            each.quota.service,
            each.quota.quota_id,
            each.quota.region,
            each.quota.dimensions,
            draw(st.integers(0, each.amount)),
        )
        for each in alone.quota
        if draw(st.booleans())
    )
    return Grants(alone.project, NEVER, granted)
