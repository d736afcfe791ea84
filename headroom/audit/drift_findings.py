"""Findings about where plan, state and cluster disagree, and pools that cannot hold what they promise."""

from collections.abc import Iterable, Iterator

from headroom.audit.differences import Node, differences
from headroom.audit.expected import planned_cohorts, planned_node_pools, planned_queues
from headroom.audit.findings import PLATFORM, Case, Finding, Severity
from headroom.audit.ledger import nodes_for
from headroom.audit.snapshot import Deployed, Known, NodePoolNow
from headroom.planning.grant_bounds import NodeBound, bound_nodes
from headroom.planning.node_pools import PoolPlan
from headroom.planning.pipelines import Resource


def find_drift(case: Case) -> Iterator[Finding]:
    """Yield every finding about differences, and about pools that cannot scale."""
    if isinstance(case.snapshot.deployed, Known):
        yield from _behind(case, case.snapshot.deployed.value)
    if isinstance(case.snapshot.node_pools, Known):
        yield from _node_pools(case, case.snapshot.node_pools.value)
    yield from _scale(case)


def _finding(
    code: str, severity: Severity, subject: str, message: str, fix: str, **numbers: int | None
) -> Finding:
    return Finding(code, "drift", severity, subject, message, tuple(numbers.items()), PLATFORM, fix)


def _behind(case: Case, deployed: Deployed) -> Iterator[Finding]:
    """What the stack file says and was not brought up."""
    for kind, wanted, found in (
        ("queue", planned_queues(case.plan), deployed.queues),
        ("cohort", planned_cohorts(case.plan), deployed.cohorts),
    ):
        held = {each.name: each for each in found}
        late = sorted(each.name for each in wanted if _differs(each, held.get(each.name)))
        late += sorted(held.keys() - {each.name for each in wanted})
        if late:
            yield _late(case, kind, late)
    planned = {each.name: each for each in planned_node_pools(case.plan)}
    there = {each.name: each for each in deployed.node_pools}
    late = sorted(name for name in planned.keys() | there.keys() if planned.get(name) != there.get(name))
    if late:
        yield _late(case, "node-pool", late)


def _differs(wanted: Node, found: Node | None) -> bool:
    return found is None or next(differences(wanted, found), None) is not None


def _late(case: Case, kind: str, names: list[str]) -> Finding:
    few = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    message = f"what was deployed is not what the stack file says: {kind}s {few}"
    fix = f"pulumi preview -s {case.stack} --diff, then pulumi up"
    return _finding(f"{kind}s-behind", "warning", f"{kind}s", message, fix, count=len(names))


def _node_pools(case: Case, found: Iterable[NodePoolNow]) -> Iterator[Finding]:
    planned = {each.name: each for each in planned_node_pools(case.plan)}
    there = {each.name: each for each in found}
    up = f"pulumi up -s {case.stack} --refresh"
    for name in sorted(planned.keys() - there.keys()):
        message = f"the node pool {name} of {planned[name].pool} is not in the cluster"
        yield _finding("node-pool-missing", "error", name, message, up, planned=planned[name].max_nodes)
    for name in sorted(there.keys() - planned.keys()):
        message = (
            f"the node pool {name} is in the cluster and not in the plan: it draws quota for nobody's pool"
        )
        fix = f"gcloud container node-pools delete {name} --cluster={case.stack}-cluster, or plan it"
        yield _finding("node-pool-unplanned", "warning", name, message, fix, found=there[name].max_nodes)
    for name in sorted(there.keys() & planned.keys()):
        wanted, has = planned[name], there[name]
        if has.max_nodes is not None and has.max_nodes != wanted.max_nodes:
            message = f"the node pool {name} has at most {has.max_nodes} nodes rather than {wanted.max_nodes}"
            numbers = {"planned": wanted.max_nodes, "found": has.max_nodes}
            yield _finding("node-pool-changed", "error", name, message, up, **numbers)


def _scale(case: Case) -> Iterator[Finding]:
    grants = case.snapshot.grants
    held = grants.value if isinstance(grants, Known) else None
    bounds = bound_nodes(case.plan.system_pool, case.plan.pools, case.plan.region, held)
    for pool in case.plan.pools:
        needed = _needed(case, pool)
        live = _live_max(case, pool)
        if live is not None and live < needed:
            message = (
                f"{pool.name} cannot hold what it promises: that takes {needed} nodes, and the cluster lets "
                f"it have {live}"
            )
            fix = f"pulumi up -s {case.stack} --refresh"
            yield _finding("pool-cannot-scale", "error", pool.name, message, fix, needed=needed, most=live)
        elif bounds[pool.name].nodes < needed:
            yield _short(pool, bounds[pool.name], needed)


def _needed(case: Case, pool: PoolPlan) -> int:
    amounts: dict[Resource, int] = {
        row.resource: row.promised for row in case.ledger.pools if row.pool == pool.name
    }
    return nodes_for(pool, amounts)


def _live_max(case: Case, pool: PoolPlan) -> int | None:
    """The most nodes that the cluster gives a pool; None: not known, or nothing bounds it."""
    if not isinstance(case.snapshot.node_pools, Known):
        return None
    counts = [each.max_nodes for each in case.snapshot.node_pools.value if each.pool == pool.name]
    return None if None in counts else sum(count or 0 for count in counts)


def _short(pool: PoolPlan, bound: NodeBound, needed: int) -> Finding:
    quota = bound.quota.quota_id if bound.quota else ""
    granted = f"{bound.granted:,}" if bound.granted is not None else "?"
    message = (
        f"{pool.name} cannot hold what it promises: that takes {needed} nodes, and with {granted} of {quota} "
        f"it can have {bound.nodes} while all pools have theirs"
    )
    fix = f"ask for more {quota}, lower guarantees on {pool.name}, or make another pool smaller"
    return _finding("pool-cannot-scale", "error", pool.name, message, fix, needed=needed, most=bound.nodes)
