"""Address ranges that collide or are not there, and regions that do not exist."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from ipaddress import IPv4Network, ip_network
from typing import Any, Final

from headroom.catalog.zones import regions, zones_in
from sandbox.google.errors import ApiError
from sandbox.google.outputs import last_segment
from sandbox.google.rules import Request, Surroundings
from sandbox.google.store import LIVE

SUBNETWORK: Final = "gcp:compute/subnetwork:Subnetwork"
CLUSTER: Final = "gcp:container/cluster:Cluster"
_RANGES: Final = ("clusterSecondaryRangeName", "servicesSecondaryRangeName")


def require_place(request: Request) -> None:
    """Raise `ApiError` 400 if a Compute Engine resource is to be in a region or zone that there is not."""
    if not request.token.startswith("gcp:compute/"):
        return
    region, zone = (last_segment(request.properties.get(name)) for name in ("region", "zone"))
    if region and region not in regions():
        raise _bad(f"Invalid value for field 'region': '{region}'. Unknown region.")
    if zone and zone not in zones_in(zone.rpartition("-")[0]):
        raise _bad(f"Invalid value for field 'zone': '{zone}'. Unknown zone.")


def require_ranges(request: Request, around: Surroundings) -> None:
    """Raise `ApiError` 400 if ranges of a network overlap, or a cluster names one that is not there."""
    if request.token == SUBNETWORK:
        _require_free_ranges(request, around)
    elif request.token == CLUSTER:
        _require_named_ranges(request, around)


def _require_free_ranges(request: Request, around: Surroundings) -> None:
    own = list(read_ranges(request.properties))
    for index, (name, range_) in enumerate(own):
        for other, taken in own[index + 1 :]:
            if range_.overlaps(taken):
                raise _bad(f"Invalid IPCidrRange: {range_} of {name} conflicts with {taken} of {other}.")
    network = last_segment(request.properties.get("network"))
    for item in around.store.objects(SUBNETWORK, LIVE):
        is_neighbour = item.project == request.project and item.id != request.identity
        if is_neighbour and last_segment(item.properties.get("network")) == network:
            _require_apart(own, item.id, item.properties)


def _require_apart(own: list[tuple[str, IPv4Network]], neighbour: str, properties: Mapping[str, Any]) -> None:
    for _, range_ in own:
        for _, taken in read_ranges(properties):
            if range_.overlaps(taken):
                existing = f"existing subnetwork '{neighbour}', {taken}"
                raise _bad(f"Invalid IPCidrRange: {range_} conflicts with {existing}.")


def read_ranges(properties: Mapping[str, Any]) -> Iterator[tuple[str, IPv4Network]]:
    """The ranges of a subnetwork, the primary one first, each with its name.

    Raises `ApiError` 400 for a range that is none.
    """
    if properties.get("ipCidrRange"):
        yield "primary", _parse(properties["ipCidrRange"])
    for row in properties.get("secondaryIpRanges") or ():
        if row.get("ipCidrRange"):
            yield row.get("rangeName") or "secondary", _parse(row["ipCidrRange"])


def _parse(text: str) -> IPv4Network:
    try:
        range_ = ip_network(text)
    except ValueError:
        range_ = None
    if not isinstance(range_, IPv4Network):
        raise _bad(f"Invalid value for field 'ipCidrRange': '{text}'. Must be an IPv4 range.")
    return range_


def _require_named_ranges(request: Request, around: Surroundings) -> None:
    policy = request.properties.get("ipAllocationPolicy") or {}
    named = [policy[name] for name in _RANGES if policy.get(name)]
    reference = request.properties.get("subnetwork")
    if not named or not reference:
        return
    short = last_segment(reference)
    subnetworks = around.store.objects(SUBNETWORK, LIVE)
    found = next((item for item in subnetworks if item.id.endswith(f"/subnetworks/{short}")), None)
    known = (
        [row.get("rangeName") for row in (found.properties.get("secondaryIpRanges") or ())] if found else []
    )
    missing = [name for name in named if name not in known]
    if missing:
        raise _bad(f'Secondary range "{missing[0]}" does not exist in subnetwork "{short}".')


def _bad(message: str) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, message, "badRequest")
