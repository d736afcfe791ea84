"""Valid pools and platforms, drawn from the whole catalog."""

from typing import Any

from hypothesis import strategies as st

from headroom.catalog.accelerators import find_accelerator
from headroom.catalog.machines import Machine, find_machine, machine_names
from headroom.catalog.topologies import is_multi_host, parse_topology, valid_topologies
from headroom.catalog.zones import regions, zones_in, zones_with

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


OFFERS = {machine: offers for machine in MACHINES if (offers := _offers(machine))}
MACHINES_ON_OFFER = sorted(OFFERS, key=lambda machine: machine.name)


@st.composite
def pools(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A region, and a pool that can be had there."""
    machine = draw(st.sampled_from(MACHINES_ON_OFFER))
    region = draw(st.sampled_from(sorted(OFFERS[machine])))
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
    return region, pool


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
