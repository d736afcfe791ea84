"""Queues and node pools as the plan wants them, in the shape in which the live world is read."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from math import ceil

from headroom.audit.series import UNLIMITED_FROM
from headroom.audit.snapshot import ClusterQueueNow, CohortNow, NodePoolNow, QueueLimit
from headroom.planning.pipelines import Resource
from headroom.planning.plan import Plan
from headroom.planning.queues import RESOURCE_NAMES, FlavorQuotas
from headroom.spec.quantities import parse_quantity

RESOURCES: dict[str, Resource] = {name: resource for resource, name in RESOURCE_NAMES.items()}
"""What Kubernetes calls the resources, and what headroom does."""

_SMALL = {"n": -9, "u": -6}


def planned_queues(plan: Plan) -> tuple[ClusterQueueNow, ...]:
    """Return the cluster queues of the plan."""
    return tuple(
        ClusterQueueNow(queue.name, queue.cohort, queue.stop_policy, _limits(queue.flavors))
        for queue in plan.tenancy.queues.queues
    )


def planned_cohorts(plan: Plan) -> tuple[CohortNow, ...]:
    """Return the cohorts of the plan."""
    return tuple(
        CohortNow(cohort.name, cohort.parent or "", _limits(cohort.flavors))
        for cohort in plan.tenancy.queues.cohorts
    )


def planned_node_pools(plan: Plan) -> tuple[NodePoolNow, ...]:
    """Return the node pools of the plan, the system pool's among them."""
    return tuple(
        NodePoolNow(node_pool.name, pool.name, pool.machine.name, node_pool.max_nodes)
        for pool in plan.all_pools
        for node_pool in pool.node_pools
    )


def read_amount(resource: Resource, text: str) -> int:
    """Return a quantity of Kubernetes as headroom counts it: thousandths of a core, bytes, devices.

    What objects in a cluster may say and stack files may not is read too: exponents, and the suffixes n and
    u. Parts are rounded up. Raises ValueError for what is no quantity.
    """
    try:
        amount = parse_quantity(text)
    except ValueError:
        amount = _read_odd(str(text))
    return ceil(amount * 1_000 if resource == "cpu" else amount)


def _read_odd(text: str) -> Decimal:
    power = _SMALL.get(text[-1:], 0)
    try:
        amount = Decimal(text[:-1] if power else text).scaleb(power)
    except InvalidOperation:
        raise ValueError("is no quantity of Kubernetes") from None
    if not amount.is_finite() or not 0 <= amount < UNLIMITED_FROM:
        raise ValueError("is no quantity of Kubernetes that can be an amount")
    return amount


def _limits(flavors: Iterable[FlavorQuotas]) -> tuple[QueueLimit, ...]:
    return tuple(
        QueueLimit(
            flavor.flavor,
            (resource := RESOURCES[quota.resource]),
            read_amount(resource, quota.nominal),
            None if quota.borrowing is None else read_amount(resource, quota.borrowing),
            None if quota.lending is None else read_amount(resource, quota.lending),
        )
        for flavor in flavors
        for quota in flavor.quotas
    )
