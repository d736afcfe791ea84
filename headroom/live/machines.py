"""Compute Engine: which zones have which machines, and the reservations that hold some."""

from typing import Final

from headroom.live.connection import Connection, UnansweredError, answers, bounds
from headroom.planning.preflight import Reservation

_NOT_FOUND: Final = 404


def list_zones(connection: Connection, region: str) -> frozenset[str]:
    """Return the zones of the region that are up. Raises UnansweredError."""
    from google.cloud.compute_v1 import ListZonesRequest, ZonesClient

    with answers(connection.project):
        listed = connection.client(ZonesClient).list(ListZonesRequest(project=connection.project), **bounds())
        return frozenset(
            zone.name for zone in listed if zone.status == "UP" and zone.name.rsplit("-", 1)[0] == region
        )


def has_machine(connection: Connection, zone: str, machine: str) -> bool:
    """Return whether the project can have the machine type in the zone. Raises UnansweredError."""
    from google.cloud.compute_v1 import MachineTypesClient

    try:
        with answers(connection.project):
            connection.client(MachineTypesClient).get(
                project=connection.project, zone=zone, machine_type=machine, **bounds()
            )
    except UnansweredError as error:
        return _is_there(error)
    return True


def has_gpu(connection: Connection, zone: str, gpu: str) -> bool:
    """Return whether the zone has the GPU that is attached to machines. Raises UnansweredError."""
    from google.cloud.compute_v1 import AcceleratorTypesClient

    try:
        with answers(connection.project):
            connection.client(AcceleratorTypesClient).get(
                project=connection.project, zone=zone, accelerator_type=gpu, **bounds()
            )
    except UnansweredError as error:
        return _is_there(error)
    return True


def find_reservation(connection: Connection, project: str, zone: str, name: str) -> Reservation | None:
    """Return the reservation in that zone, or None. Raises UnansweredError."""
    from google.cloud.compute_v1 import ReservationsClient

    try:
        with answers(connection.project):
            found = connection.client(ReservationsClient).get(
                project=project, zone=zone, reservation=name, **bounds()
            )
    except UnansweredError as error:
        _is_there(error)
        return None
    return Reservation(
        found.specific_reservation.instance_properties.machine_type,
        int(found.specific_reservation.count),
        found.status == "READY",
    )


def _is_there(error: UnansweredError) -> bool:
    if error.status == _NOT_FOUND:
        return False
    raise error
