"""The machines of a node pool: what they are, how many there will be at once, and in which zones."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from headroom.catalog.machines import CapacityKind, Machine, find_machine
from headroom.catalog.zones import offers, zones_in
from sandbox.google.errors import ApiError
from sandbox.google.facts import load_table


@dataclass(frozen=True)
class Nodes:
    """The nodes that a pool has as soon as it is there."""

    machine: Machine
    count: int
    zones: tuple[str, ...]
    region: str
    capacity: CapacityKind
    gpu: str | None
    gpus: int
    disk_type: str
    disk_gb: int


def read_nodes(properties: Mapping[str, Any], cluster: Mapping[str, Any]) -> Nodes:
    """The nodes that the properties of a pool (or of a cluster with its first pool) ask for.

    Raises `ApiError` 400 for a machine type or a zone that is not there.
    """
    config, default = properties.get("nodeConfig") or {}, load_table("machines")["default"]
    zones, region = _zones(properties, cluster)
    accelerators = config.get("guestAccelerators") or ()
    name = config.get("machineType") or default["machine"]
    machine = find_machine(load_table("machines")["same_as"].get(name, name))
    if machine is None:
        raise _bad(f"Invalid machine type '{name}': it does not exist in zone '{zones[0]}'.")
    return Nodes(
        machine=machine,
        count=count_nodes(properties, len(zones)),
        zones=zones,
        region=region,
        capacity=read_capacity(properties),
        gpu=accelerators[0].get("type") if accelerators else None,
        gpus=accelerators[0].get("count", 0) if accelerators else 0,
        disk_type=config.get("diskType") or default["disk_type"],
        disk_gb=config.get("diskSizeGb") or default["disk_gb"],
    )


def count_nodes(properties: Mapping[str, Any], zones: int) -> int:
    """How many nodes a pool starts with: its count in each zone, or the autoscaler's minimum."""
    autoscaling = properties.get("autoscaling") or {}
    started = properties.get("nodeCount") or properties.get("initialNodeCount") or 0
    each = max(started, autoscaling.get("minNodeCount") or 0)
    return max(each * zones, autoscaling.get("totalMinNodeCount") or 0)


def read_capacity(properties: Mapping[str, Any]) -> CapacityKind:
    """How the pool's machines are obtained."""
    config = properties.get("nodeConfig") or {}
    affinity = (config.get("reservationAffinity") or {}).get("consumeReservationType")
    if affinity in ("SPECIFIC_RESERVATION", "ANY_RESERVATION_THEN_FAIL"):
        return "reservation"
    if config.get("flexStart"):
        return "flex-start"
    if (properties.get("queuedProvisioning") or {}).get("enabled"):
        return "queued"
    return "spot" if config.get("spot") or config.get("preemptible") else "on-demand"


def _zones(properties: Mapping[str, Any], cluster: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    location = properties.get("location") or cluster.get("location") or ""
    is_zone = location.count("-") == 2
    region = location.rpartition("-")[0] if is_zone else location
    known = zones_in(region)
    if not known:
        raise _bad(f'Location "{location}" does not exist.')
    given = properties.get("nodeLocations") or cluster.get("nodeLocations")
    zones = tuple(given or ([location] if is_zone else known[: load_table("machines")["default"]["zones"]]))
    strange = [zone for zone in zones if zone not in known]
    if strange:
        raise _bad(f'Invalid location(s) {", ".join(strange)}: not in region "{region}".')
    return zones, region


def require_offered(nodes: Nodes) -> None:
    """Raise `ApiError` 400 if a zone is known not to have the machine or the GPU."""
    for zone in nodes.zones:
        if offers(zone, nodes.machine, nodes.gpu) is False:
            gpu = f" with accelerator '{nodes.gpu}'" if nodes.gpu else ""
            raise _bad(f"Machine type '{nodes.machine.name}'{gpu} does not exist in zone '{zone}'.")


def _bad(message: str) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, message, "badRequest")
