"""Stacks that together draw every quota of the catalog: in each region that it takes, as few pools as do."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from headroom.catalog.facts import load_facts, parse_pairs
from headroom.catalog.machines import Machine, find_machine
from headroom.catalog.quotas import QuotaLine, disk_quota, local_ssd_quota, machine_quotas
from headroom.catalog.topologies import is_multi_host, parse_topology, valid_topologies
from headroom.catalog.zones import regions
from headroom.planning.plan import Plan, plan_config
from headroom.spec.errors import StackFileError
from tests.planning.strategies import MACHINES, OFFERS, system_pool

PROJECT = "acme-ml-test"
ATTACHES_TO = next(each for each in MACHINES if each.name == "n1-standard-4")
Key = tuple[str, tuple[tuple[str, str], ...] | None]
"""A quota's id and what else tells it from others of that id; None: each series of machines has its own."""


def every_quota() -> set[Key]:
    """All quotas that the catalog has a row for."""
    found: set[Key] = set()
    for group in load_facts("quotas"):
        for row in (row for table in ("quotas", "disks", "local_ssds") for row in group.get(table, ())):
            dimensions = tuple(sorted(parse_pairs(row.get("dimensions", "")).items()))
            found.add((row["quota"], None if "series" in row else dimensions))
    return found


def keys_of(line: QuotaLine) -> set[Key]:
    return {(line.quota_id, line.dimensions), (line.quota_id, None)}


@cache
def platforms() -> dict[str, dict[str, Any]]:
    """The `config:` of a stack for each region, that of most machines first."""
    missing, found = every_quota(), {}
    for region in sorted(regions(), key=lambda name: -sum(name in zones for zones in OFFERS.values())):
        if not missing:
            break
        pools = {}
        for pool in _candidates(region):
            if _may_draw(pool, region) & missing and (drawn := _draws(region, pool) & missing):
                missing -= drawn
                pools[f"p{len(pools)}"] = pool
        if pools:
            found[region] = _config(region, pools)
    assert missing == set(), missing
    return found


@cache
def plan_of(region: str) -> Plan:
    return plan_config(platforms()[region], "test", "f")


def _config(region: str, pools: dict[str, Any]) -> dict[str, Any]:
    zones = next(iter(pools.values()))["zones"]
    return {
        "gcp:project": PROJECT,
        "gcp:region": region,
        "headroom:environment": {"tier": "development"},
        "headroom:cluster": {"zones": zones, "system_pool": system_pool(zones)},
        "headroom:pools": pools,
    }


def _may_draw(pool: dict[str, Any], region: str) -> set[Key]:
    """What a node of it would draw if the plan took it: known at once, so that few have to be planned."""
    gpu = pool.get("gpu", {})
    return _of_machines(
        pool["machine"], pool["capacity"], gpu.get("type"), gpu.get("count"), "local_ssd" in pool, region
    ) | keys_of(disk_quota(pool["boot_disk"]["type"], 100, region)[0])


@cache
def _of_machines(
    name: str, capacity: str, gpu: str | None, count: int | None, with_ssd: bool, region: str
) -> set[Key]:
    """What a node would draw of all but its boot disk, of which most machines take several kinds."""
    machine = find_machine(name)
    assert machine is not None
    accelerator, devices = gpu or machine.accelerator, count or machine.devices
    lines = [line for line, _ in machine_quotas(machine, capacity, accelerator, devices, region)]
    if with_ssd or machine.local_ssds:
        lines.append(local_ssd_quota(machine, 1, region, capacity)[0])
    return {key for line in lines for key in keys_of(line)}


def _draws(region: str, pool: dict[str, Any]) -> set[Key]:
    try:
        plan = plan_config(_config(region, {"p": pool}), "test", "f")
    except StackFileError:
        return set()
    return {key for draw in plan.quota for key in keys_of(draw.quota)}


def _candidates(region: str) -> Iterator[dict[str, Any]]:
    """Pools of one node, or of the smallest slice, in every way that the machines of a region can be had."""
    for machine in (each for each in MACHINES if region in OFFERS.get(each, {})):
        yield from _of_machine(machine, OFFERS[machine][region][:1])
    yield from _with_gpus(region)


def _of_machine(machine: Machine, zones: list[str]) -> Iterator[dict[str, Any]]:
    topologies = valid_topologies(machine) if machine.kind == "tpu" else (None,)
    for capacity in (each for each in machine.capacities if each != "reservation"):
        for disk in machine.boot_disks:
            pool: dict[str, Any] = {"machine": machine.name, "zones": zones, "capacity": capacity}
            sliced = topologies[0] is not None and is_multi_host(machine, parse_topology(topologies[0]))
            pool |= {"topology": topologies[0]} if topologies[0] else {}
            pool["slices" if sliced else "nodes"] = {"max": 1}
            pool["boot_disk"] = {"type": disk, "size": "100Gi"}
            if machine.local_ssd_choices and not machine.local_ssds:
                pool["local_ssd"] = machine.local_ssd_choices[0]
            yield pool


def _with_gpus(region: str) -> Iterator[dict[str, Any]]:
    """GPUs that attach to machines, in each zone: which has which nothing but the plan says."""
    for gpu in (name for group in load_facts("attachable_gpus") for name in group["most_vcpus"]):
        for zone in OFFERS[ATTACHES_TO].get(region, ()):
            for capacity in ("on-demand", "spot"):
                yield {
                    "machine": ATTACHES_TO.name,
                    "zones": [zone],
                    "capacity": capacity,
                    "nodes": {"max": 1},
                    "gpu": {"type": gpu, "count": 1},
                    "boot_disk": {"type": "pd-balanced", "size": "100Gi"},
                }


@dataclass(frozen=True)
class Amounts:
    """What a quota has, in a world in which no two quotas have the same."""

    granted: int
    used: int


def amounts_of(region: str) -> dict[QuotaLine, Amounts]:
    return {
        draw.quota: Amounts(100_000 + 7 * number, 1_000 + 3 * number)
        for number, draw in enumerate(plan_of(region).quota)
    }


def place_of(line: QuotaLine) -> str:
    """How the imitation names a quota of a place."""
    return "/".join([line.region or "global", *(f"{key}={value}" for key, value in line.dimensions)])


Series = tuple[str, dict[str, str], float]
"""Name, labels, value."""


def series_of(region: str) -> list[Series]:
    """What Cloud Monitoring has of the quotas that a region's stack draws, and of some that it does not."""
    found: list[Series] = []
    for line, amounts in [*amounts_of(region).items(), (ANOTHERS, Amounts(9, 9))]:
        if line.dimensions:
            ((label, family),) = line.dimensions
            labels = {
                "monitored_resource": "compute.googleapis.com/Location",
                "limit_name": line.quota_id,
                "location": line.region or "",
                label: family,
            }
            found.append(
                (f"compute.googleapis.com/quota/{FAMILIES[line.quota_id]}/usage", labels, amounts.used)
            )
            continue
        metric = f"compute.googleapis.com/{line.quota_id.lower()}"
        usual = {"monitored_resource": "consumer_quota", "service": line.service, "quota_metric": metric}
        usual["location"] = line.region or "global"
        limit = usual | {"limit_name": line.quota_id}
        found.append(("serviceruntime.googleapis.com/quota/limit", limit, amounts.granted))
        found.append(("serviceruntime.googleapis.com/quota/allocation/usage", usual, amounts.used))
    return found


ANOTHERS = QuotaLine("N2-CPUS-per-project-region", "europe-west4")
FAMILIES = {
    "CPUS-PER-VM-FAMILY-per-project-region": "cpus_per_vm_family",
    "GPUS-PER-GPU-FAMILY-per-project-region": "gpus_per_gpu_family",
    "LOCAL-SSD-TOTAL-GB-PER-VM-FAMILY-per-project-region": "local_ssd_total_storage_per_vm_family",
    "TPUS-PER-TPU-FAMILY-per-project-region": "tpus_per_tpu_family",
}
"""The metrics of quotas by family (cloud.google.com/monitoring/api/metrics_gcp_c, 2026-11)."""
