"""Names that the catalog knows: machine types, zones, regions, accelerators."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from headroom.catalog.accelerators import attachable_gpus
from headroom.catalog.machines import find_machine, machine_names
from headroom.catalog.zones import regions, zones_in
from headroom.spec.errors import did_you_mean


def _known_machine(name: str) -> str:
    if find_machine(name) is None:
        raise ValueError("is no machine type that headroom knows" + did_you_mean(name, machine_names()))
    return name


def _known_region(name: str) -> str:
    if name not in regions():
        raise ValueError("is no region of Google Cloud" + did_you_mean(name, regions()))
    return name


def _known_zone(name: str) -> str:
    zones = tuple(zone for region in regions() for zone in zones_in(region))
    if name not in zones:
        raise ValueError("is no zone of Google Cloud" + did_you_mean(name, zones))
    return name


def _known_gpu(name: str) -> str:
    if name not in attachable_gpus():
        choices = ", ".join(attachable_gpus())
        raise ValueError(f"is no GPU that can be attached; choose one of {choices}")
    return name


_Short = StringConstraints(max_length=64)

MachineName = Annotated[str, _Short, AfterValidator(_known_machine)]
RegionName = Annotated[str, _Short, AfterValidator(_known_region)]
ZoneName = Annotated[str, _Short, AfterValidator(_known_zone), Field(examples=["us-central1-a"])]
GpuName = Annotated[str, _Short, AfterValidator(_known_gpu)]
