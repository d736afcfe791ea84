"""A world in which plan, cloud and cluster agree and everybody uses half of what is theirs; tests change it."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from headroom.audit.expected import planned_cohorts, planned_node_pools, planned_queues
from headroom.audit.ledger import keep_ledger
from headroom.audit.report import Audit, run_audit
from headroom.audit.series import Series
from headroom.audit.snapshot import (
    NOT_ASKED,
    Deployed,
    Held,
    Known,
    LocalQueueNow,
    QueuesNow,
    QueueUse,
    QuotaUse,
    Snapshot,
    Unread,
)
from headroom.planning.grants import Grant, Grants
from headroom.planning.plan import Plan, plan
from headroom.spec.platform import Platform
from headroom.spec.stack_file import parse_config
from tests.conftest import MINIMAL

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAYS = 14
STEP_S = 3 * 3_600
COUNT = DAYS * 86_400 // STEP_S
START = NOW - timedelta(days=DAYS)
A = ["us-central1-a"]


def limits(pool: str, **resources: tuple[Any, Any]) -> dict[str, Any]:
    return {pool: {name: {"guarantee": low, "cap": high} for name, (low, high) in resources.items()}}


def pipeline(owner: str, kind: str, limits: dict[str, Any]) -> dict[str, Any]:
    return {"kind": kind, "model": "m", "owner": owner, "limits": limits}


CONFIG: dict[str, Any] = copy.deepcopy(MINIMAL) | {
    "headroom:pools": {
        "cpu": {"machine": "n2-standard-16", "nodes": {"max": 4}},
        "l4": {"machine": "g2-standard-48", "zones": A, "nodes": {"max": 5}},
        "v5e": {"machine": "ct5lp-hightpu-4t", "zones": A, "topology": "4x4", "slices": {"max": 3}},
    },
    "headroom:pipelines": {
        "etl": pipeline(
            "group:data@acme.example", "data", limits("cpu", cpu=(16, 32), memory=("64Gi", "96Gi"))
        ),
        "rank": pipeline("user:ada@acme.example", "training", limits("l4", gpus=(8, 12))),
        "seek": pipeline("user:bo@acme.example", "validation", limits("l4", gpus=(4, 8))),
        "draw": pipeline("user:cy@acme.example", "training", limits("v5e", chips=(16, 32))),
    },
}


def flat(amount: float | None) -> Series:
    return Series(START, STEP_S, (amount,) * COUNT)


def series(values: Sequence[float | None]) -> Series:
    """The values at the end of the window; before them nothing is known."""
    return Series(START, STEP_S, (None,) * (COUNT - len(values)) + tuple(values))


def rising(first: float, last: float) -> Series:
    return Series(START, STEP_S, tuple(first + (last - first) * n / (COUNT - 1) for n in range(COUNT)))


@dataclass(frozen=True)
class World:
    """The stack file, the plan, and the live world."""

    platform: Platform
    plan: Plan
    snapshot: Snapshot

    def but(self, **parts: Any) -> "World":
        """Return the world with other parts of the snapshot; a bare value stands for one that is known."""
        named = {
            name: value if isinstance(value, Known | Unread) or name in _BARE else known(value)
            for name, value in parts.items()
        }
        return replace(self, snapshot=replace(self.snapshot, **named))

    def audit(self) -> Audit:
        return run_audit(self.platform, self.plan, self.snapshot)

    def codes(self) -> set[str]:
        return {finding.code for finding in self.audit().findings}

    def value(self, name: str) -> Any:
        """Return what is known of a part."""
        return getattr(self.snapshot, name).value

    def grant(self, quota_id: str, value: int | None) -> "World":
        """Return the world with another grant of a quota, in the cloud and in the file; None: with none."""
        held = self.value("grants")
        kept = tuple(each for each in held.grants if each.quota_id != quota_id or value is not None)
        changed = (replace(each, value=value) if each.quota_id == quota_id else each for each in kept)
        grants = replace(held, grants=tuple(changed))
        return self.but(grants=grants, committed=grants)

    def used(
        self, queue: str, pool: str, resource: str, peaks: Series, means: Series | None = None
    ) -> "World":
        """Return the world with another use of a queue; what it holds now goes with it."""
        use = tuple(
            replace(each, peaks=peaks, means=means or peaks)
            if (each.queue, each.pool, each.resource) == (queue, pool, resource)
            else each
            for each in self.value("queue_use")
        )
        now = peaks.now
        return self.but(queue_use=use).queue(queue, lambda each: _hold(each, pool, resource, now))

    def queue(self, name: str, edit: Callable[[Any], Any]) -> "World":
        """Return the world with one of its cluster queues edited."""
        held = self.value("queues")
        queues = tuple(edit(each) if each.name == name else each for each in held.queues)
        return self.but(queues=replace(held, queues=queues))

    def quota_used(self, quota_id: str, found: Series) -> "World":
        """Return the world with another use of a cloud quota."""
        uses = tuple(
            replace(each, series=found) if each.quota_id == quota_id else each
            for each in self.value("quota_use")
        )
        return self.but(quota_use=uses)


_BARE = {"committed", "at", "window_days"}


def _hold(queue: Any, pool: str, resource: str, now: float | None) -> Any:
    held = tuple(
        replace(each, total=round(now or 0)) if (each.pool, each.resource) == (pool, resource) else each
        for each in queue.reserved
    )
    return replace(queue, reserved=held)


def known(value: Any, origin: str = "test") -> Known[Any]:
    return Known(value, NOW, origin)


def make_world(**sections: Any) -> World:
    """A healthy world; `sections` replace those of the stack file."""
    config = copy.deepcopy(CONFIG) | {f"headroom:{name}": value for name, value in sections.items()}
    platform = parse_config(config, "f")
    grants = _grants(plan(platform, "test"))
    planned = plan(platform, "test", grants)
    blank = Snapshot(NOW, DAYS, known(grants), grants, *(Unread(NOT_ASKED, asked=False) for _ in range(7)))
    ledger = keep_ledger(planned, platform.quota.experiments, blank)
    uses = tuple(
        QueueUse(held.name, row.pool, row.resource, flat(held.guarantee // 2), flat(held.guarantee // 2))
        for row in ledger.pools
        for held in row.holdings
    )
    return World(platform, planned, blank).but(
        queue_use=uses,
        quota_use=tuple(
            QuotaUse(
                row.quota.quota_id, row.quota.region, row.quota.dimensions, flat((row.granted or 0) // 2)
            )
            for row in ledger.quotas
        ),
        queues=_queues(planned, uses),
        unmanaged=(),
        nodes=tuple((pool.name, pool.max_nodes) for pool in planned.all_pools),
        node_pools=planned_node_pools(planned),
        deployed=Deployed(planned_node_pools(planned), planned_queues(planned), planned_cohorts(planned)),
    )


def _grants(planned: Plan) -> Grants:
    lines = tuple(
        Grant(draw.quota.service, draw.quota.quota_id, draw.quota.region, draw.quota.dimensions, draw.amount)
        for draw in planned.quota
    )
    return Grants(planned.project, NOW - timedelta(days=1), lines, ())


def _queues(planned: Plan, uses: tuple[QueueUse, ...]) -> QueuesNow:
    held = {
        queue.name: tuple(
            Held(use.pool, use.resource, round(use.peaks.now or 0), 0)
            for use in uses
            if use.queue == queue.name
        )
        for queue in planned_queues(planned)
    }
    return QueuesNow(
        tuple(replace(queue, reserved=held[queue.name], admitted=1) for queue in planned_queues(planned)),
        planned_cohorts(planned),
        tuple(LocalQueueNow(queue.name, queue.name, queue.name) for queue in planned_queues(planned)),
    )
