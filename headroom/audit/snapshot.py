"""The live world at one moment, as far as it could be read; what could not be read says why.

Amounts of pools and queues are as pods ask for them: thousandths of a core, bytes, allocatable devices.
Amounts of cloud quotas are in the quotas' own units: physical devices. The two are never mixed.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from headroom.audit.series import Series
from headroom.planning.grants import Grants
from headroom.planning.pipelines import Resource

Value_co = TypeVar("Value_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Known(Generic[Value_co]):
    """What a source answered, and when; `gaps` is what it did not answer of what was asked."""

    value: Value_co
    read_at: datetime
    origin: str
    """Who answered, such as `quotas/prod.json`."""
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unread:
    """Why nothing is known of a source; `asked` is False where nobody wanted it to be asked."""

    reason: str
    remedy: str = ""
    asked: bool = True


NOT_ASKED = "was not asked"


@dataclass(frozen=True, slots=True)
class QueueUse:
    """What one queue held of one resource of a pool: the highest and the mean of each step."""

    queue: str
    pool: str
    resource: Resource
    peaks: Series
    means: Series


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """What the cloud says is in use of one of its quotas."""

    quota_id: str
    region: str | None
    dimensions: tuple[tuple[str, str], ...]
    series: Series


@dataclass(frozen=True, slots=True)
class QueueLimit:
    """The quota of one resource of a pool; None: no limit."""

    pool: str
    resource: Resource
    nominal: int
    borrowing: int | None
    lending: int | None


@dataclass(frozen=True, slots=True)
class Held:
    """What a queue holds of one resource of a pool, and how much of it is borrowed."""

    pool: str
    resource: Resource
    total: int
    borrowed: int


@dataclass(frozen=True, slots=True)
class ClusterQueueNow:
    """A cluster queue; `idle_reason` says why it admits nothing, and is empty where it does."""

    name: str
    cohort: str
    stop_policy: str
    limits: tuple[QueueLimit, ...]
    reserved: tuple[Held, ...] = ()
    pending: int = 0
    admitted: int = 0
    idle_reason: str = ""

    @property
    def above(self) -> str:
        """The cohort that it is in, empty for none."""
        return self.cohort


@dataclass(frozen=True, slots=True)
class CohortNow:
    """A cohort; `parent` is empty for a root."""

    name: str
    parent: str
    limits: tuple[QueueLimit, ...]

    @property
    def above(self) -> str:
        """The cohort that it is in, empty for none."""
        return self.parent


@dataclass(frozen=True, slots=True)
class LocalQueueNow:
    """A namespace's way into a cluster queue."""

    namespace: str
    name: str
    queue: str
    stop_policy: str = "None"


@dataclass(frozen=True, slots=True)
class QueuesNow:
    """All of Kueue's queues."""

    queues: tuple[ClusterQueueNow, ...]
    cohorts: tuple[CohortNow, ...]
    local_queues: tuple[LocalQueueNow, ...]


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """Pods of a namespace that hold a pool's nodes without having been admitted by any queue."""

    namespace: str
    pool: str
    pods: int
    held: tuple[tuple[Resource, int], ...]


@dataclass(frozen=True, slots=True)
class NodePoolNow:
    """A node pool of the cluster or of the stack's state; counts are totals over its zones.

    `pool` is empty where no label says whose it is, `max_nodes` None where nothing bounds it or it is not
    known.
    """

    name: str
    pool: str
    machine: str
    max_nodes: int | None


@dataclass(frozen=True, slots=True)
class Deployed:
    """What the stack's state says was deployed."""

    node_pools: tuple[NodePoolNow, ...]
    queues: tuple[ClusterQueueNow, ...]
    cohorts: tuple[CohortNow, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every source, each of which may be unread."""

    at: datetime
    window_days: int
    grants: Known[Grants] | Unread
    committed: Grants | None
    """What `quotas/<stack>.json` says, on which the plan stands; None: there is no such file."""
    queue_use: Known[tuple[QueueUse, ...]] | Unread
    quota_use: Known[tuple[QuotaUse, ...]] | Unread
    queues: Known[QueuesNow] | Unread
    unmanaged: Known[tuple[Unmanaged, ...]] | Unread
    nodes: Known[tuple[tuple[str, int], ...]] | Unread
    """How many nodes each pool has now, by the pool's name."""
    node_pools: Known[tuple[NodePoolNow, ...]] | Unread
    deployed: Known[Deployed] | Unread

    @property
    def sources(self) -> tuple[tuple[str, "Known[object] | Unread"], ...]:
        """Every source with its name, in the order in which people read them."""
        return (
            ("cloud quotas", self.grants),
            ("cloud quota use", self.quota_use),
            ("pipeline use", self.queue_use),
            ("queues", self.queues),
            ("unmanaged pods", self.unmanaged),
            ("nodes", self.nodes),
            ("node pools", self.node_pools),
            ("stack state", self.deployed),
        )
