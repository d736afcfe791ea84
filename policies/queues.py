"""Kueue's objects as rules see them: whose quota is how large, who may borrow and lend how much."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import Any

from headroom.planning.allocation import describe_amount
from headroom.planning.pipelines import LimitPlan, PipelinePlan
from headroom.planning.pipelines import Resource as PlannedResource
from headroom.planning.queues import RESOURCE_NAMES
from headroom.spec.base import POOL_LABEL
from headroom.spec.quantities import parse_quantity
from policies.resources import ABSENT, UNKNOWN, Missing, Resource, each, read

GROUP = "kubernetes:kueue.x-k8s.io/"
API = f"{GROUP}v1beta2:"
CLUSTER_QUEUE, COHORT, LOCAL_QUEUE, FLAVOR, ADMISSION_CHECK = (
    f"{API}{kind}" for kind in ("ClusterQueue", "Cohort", "LocalQueue", "ResourceFlavor", "AdmissionCheck")
)

PLANNED: dict[str, PlannedResource] = {name: resource for resource, name in RESOURCE_NAMES.items()}
"""What planning calls the resources that pods ask for."""

Amount = int | Missing
"""Thousandths of a core, bytes, or devices; UNKNOWN also for what is no quantity."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The quota of one resource of one flavor. A limit that is ABSENT is no limit."""

    flavor: str
    resource: str
    """As pods call it."""
    nominal: Amount
    borrowing: Amount
    lending: Amount

    @property
    def cap(self) -> Amount:
        """The most that can be used of it; ABSENT: nothing bounds it."""
        for part in (self.nominal, self.borrowing):
            if isinstance(part, Missing):
                return part
        return _known(self.nominal) + _known(self.borrowing)

    @property
    def where(self) -> str:
        """Flavor and resource, for messages."""
        return f"{self.resource} of {self.flavor}"


@dataclass(frozen=True, slots=True)
class Queue:
    """A ClusterQueue or a Cohort: what it has, and the cohort that it belongs to (ABSENT: none)."""

    resource: Resource
    name: Any
    cohort: Any
    cells: tuple[Cell, ...]
    is_readable: bool
    """False where what it has is not known before the update."""

    @property
    def shares(self) -> bool:
        """Return whether it belongs to a cohort, or may, for all that is known."""
        return self.cohort is not ABSENT and self.cohort != ""


@dataclass(frozen=True, slots=True)
class Flavor:
    """A ResourceFlavor; `label` is the pool's label that it selects nodes by."""

    resource: Resource
    name: Any
    label: Any


def read_queue(resource: Resource) -> Queue:
    """Return what a ClusterQueue says."""
    return _read(resource, "cohortName")


def read_cohort(resource: Resource) -> Queue:
    """Return what a Cohort says."""
    return _read(resource, "parentName")


def read_flavor(resource: Resource) -> Flavor:
    """Return what a ResourceFlavor says."""
    return Flavor(resource, resource.object_name, resource.read("spec", "nodeLabels", POOL_LABEL))


def read_amount(resource: str, value: Any) -> Amount:
    """Return a quantity of a resource in whole base units, rounded up."""
    if isinstance(value, Missing):
        return value
    try:
        amount = parse_quantity(value)
    except ValueError:
        return UNKNOWN
    return ceil(amount * 1_000 if resource == "cpu" else amount)


def show_amount(resource: str, amount: Amount) -> str:
    """Return an amount for people."""
    if isinstance(amount, Missing):
        return amount.value
    planned = PLANNED.get(resource)
    return describe_amount(planned, amount) if planned else str(amount)


def to_pipeline(queue: Queue, kind: Any, model: Any) -> PipelinePlan:
    """Return the pipeline whose queue it is, as planning knows it; what is not known of it is left out."""
    limits = [
        LimitPlan(cell.flavor, planned, nominal, cap if isinstance(cap, int) else nominal, derived=False)
        for cell in queue.cells
        if (planned := PLANNED.get(cell.resource))
        and isinstance(nominal := cell.nominal, int)
        and (cap := nominal if not queue.shares else cell.cap) is not None
    ]
    return PipelinePlan(
        name=str(queue.name),
        kind=kind if kind in ("data", "training", "validation", "serving") else "data",
        model=model if isinstance(model, str) else "",
        owner="",
        admission="open",
        access=(),
        limits=tuple(limits),
    )


def _read(resource: Resource, cohort: str) -> Queue:
    groups = resource.read("spec", "resourceGroups")
    return Queue(
        resource,
        resource.object_name,
        resource.read("spec", cohort),
        tuple(_cells(groups)),
        is_readable=_is_readable(groups),
    )


def _cells(groups: Any) -> Iterable[Cell]:
    for group in each(groups):
        for flavor in each(read(group, "flavors")):
            for quota in each(read(flavor, "resources")):
                name, of = read(quota, "name"), read(flavor, "name")
                if isinstance(name, str) and isinstance(of, str):
                    amounts = (
                        read_amount(name, read(quota, key))
                        for key in ("nominalQuota", "borrowingLimit", "lendingLimit")
                    )
                    yield Cell(of, name, *amounts)


def _is_readable(groups: Any) -> bool:
    """Whether everything up to the amounts is known; amounts themselves are judged one by one."""
    if groups is UNKNOWN:
        return False
    for group in each(groups):
        flavors = read(group, "flavors")
        if group is UNKNOWN or flavors is UNKNOWN:
            return False
        for flavor in each(flavors):
            quotas = read(flavor, "resources")
            parts = [flavor, quotas, read(flavor, "name"), *each(quotas)]
            parts += [read(quota, "name") for quota in each(quotas)]
            if any(part is UNKNOWN for part in parts):
                return False
    return True


def _known(amount: Amount) -> int:
    return amount if isinstance(amount, int) else 0
