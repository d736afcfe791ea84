"""compute.googleapis.com: zones, what they offer, and reservations."""

import re
from collections.abc import Mapping
from typing import Any, Final

from headroom.catalog.accelerators import find_accelerator
from headroom.catalog.machines import find_machine
from headroom.catalog.zones import find_zones, offers, regions, zones_in
from sandbox.google.apis.exchange import Call, Route
from sandbox.google.errors import ApiError, not_found
from sandbox.google.facts import load_table

_API: Final = "compute.googleapis.com"


def list_zones(call: Call) -> Mapping[str, Any]:
    """All zones, a page at a time."""
    names = [zone for region in regions() for zone in zones_in(region)]
    items, token = call.page(names, "maxResults")
    body = {"kind": "compute#zoneList", "items": [_describe_zone(call, zone) for zone in items]}
    return body | ({"nextPageToken": token} if token else {})


def get_machine_type(call: Call) -> Mapping[str, Any]:
    """A machine type in a zone."""
    zone, name = call.names["zone"], call.names["name"]
    machine = find_machine(load_table("machines")["same_as"].get(name, name))
    if machine is None or offers(zone, machine) is False or _is_withheld(call, zone, name):
        raise _not_found(call, zone, f"machineTypes/{name}")
    return {"kind": "compute#machineType", "name": name, "zone": zone, "guestCpus": machine.vcpus}


def get_accelerator_type(call: Call) -> Mapping[str, Any]:
    """A GPU in a zone."""
    zone, name = call.names["zone"], call.names["name"]
    known = find_zones(name)
    is_absent = find_accelerator(name) is None or (
        known is not None and known.complete and zone not in known.zones
    )
    if is_absent or _is_withheld(call, zone, name):
        raise _not_found(call, zone, f"acceleratorTypes/{name}")
    return {"kind": "compute#acceleratorType", "name": name, "zone": zone}


def get_reservation(call: Call) -> Mapping[str, Any]:
    """A reservation in a zone."""
    zone, name = call.names["zone"], call.names["name"]
    found = call.settings.reservations.get(f"{zone}/{name}")
    if found is None:
        raise _not_found(call, zone, f"reservations/{name}")
    return {
        "kind": "compute#reservation",
        "name": name,
        "zone": zone,
        "status": found.get("status", "READY"),
        "specificReservationRequired": True,
        "specificReservation": {
            "count": str(found["count"]),
            "inUseCount": "0",
            "instanceProperties": {"machineType": found["machine"]},
        },
    }


def _describe_zone(call: Call, zone: str) -> dict[str, str]:
    status = "DOWN" if zone in call.settings.zones_down else "UP"
    return {"kind": "compute#zone", "name": zone, "status": status, "region": zone.rsplit("-", 1)[0]}


def _is_withheld(call: Call, zone: str, name: str) -> bool:
    is_zone = zone in zones_in(zone.rsplit("-", 1)[0])
    return not is_zone or f"{zone}/{name}" in call.settings.withheld_machines


def _not_found(call: Call, zone: str, what: str) -> ApiError:
    return not_found(f"projects/{call.project}/zones/{zone}/{what}")


def _of_zone(collection: str) -> re.Pattern[str]:
    return re.compile(
        r"/compute/v1/projects/(?P<project>[^/:]+)/zones/(?P<zone>[^/:]+)"
        rf"/{collection}/(?P<name>[^/:]+)"
    )


ROUTES: Final = (
    Route(
        _API,
        "GET",
        re.compile(r"/compute/v1/projects/(?P<project>[^/:]+)/zones"),
        list_zones,
        frozenset({"maxResults", "pageToken"}),
    ),
    Route(_API, "GET", _of_zone("machineTypes"), get_machine_type),
    Route(_API, "GET", _of_zone("acceleratorTypes"), get_accelerator_type),
    Route(_API, "GET", _of_zone("reservations"), get_reservation),
)
