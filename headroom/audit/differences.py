"""In what a queue or a cohort differs from what it should be."""

from collections.abc import Iterable, Iterator, Mapping

from headroom.audit.findings import shown
from headroom.audit.snapshot import ClusterQueueNow, CohortNow, QueueLimit
from headroom.planning.pipelines import Resource

Node = ClusterQueueNow | CohortNow

_Key = tuple[str, Resource]


def differences(wanted: Node, found: Node) -> Iterator[str]:
    """Yield each difference in words."""
    if wanted.above != found.above:
        yield f"its cohort is {found.above or 'none'} rather than {wanted.above or 'none'}"
    if isinstance(wanted, ClusterQueueNow) and isinstance(found, ClusterQueueNow):
        should, does = wanted.stop_policy or "None", found.stop_policy or "None"
        if should != does:
            yield f"stopPolicy is {does} rather than {should}"
    yield from _limit_differences(_by_key(wanted.limits), _by_key(found.limits))


def _limit_differences(wanted: Mapping[_Key, QueueLimit], found: Mapping[_Key, QueueLimit]) -> Iterator[str]:
    for pool, resource in sorted(wanted.keys() | found.keys()):
        should, does = wanted.get((pool, resource)), found.get((pool, resource))
        # A resource that is covered and has no quota at all is as good as not covered.
        if not _counts(should) and not _counts(does):
            continue
        for part in ("nominal", "borrowing", "lending"):
            before, after = _shown(should, part), _shown(does, part)
            if before != after:
                yield f"{part} of {pool}/{resource} is {after} rather than {before}"


def _counts(limit: QueueLimit | None) -> bool:
    return limit is not None and (limit.nominal, limit.borrowing) != (0, 0)


def _shown(limit: QueueLimit | None, part: str) -> str:
    if limit is None:
        return "absent"
    amount = getattr(limit, part)
    return "without a limit" if amount is None else shown(limit.resource, amount)


def _by_key(limits: Iterable[QueueLimit]) -> dict[_Key, QueueLimit]:
    return {(limit.pool, limit.resource): limit for limit in limits}
