"""Findings about the queues in the cluster: what differs from what was deployed, and what no queue holds.

Queues are held against the stack's state where it could be read: what differs from that was changed behind
Pulumi's back. Without it they are held against the plan, from which they also differ until `pulumi up`.
"""

from collections.abc import Iterable, Iterator

from headroom.audit.differences import Node, differences
from headroom.audit.expected import planned_cohorts, planned_queues
from headroom.audit.findings import Case, Finding, Severity, shown
from headroom.audit.snapshot import ClusterQueueNow, Known, QueuesNow


def find_queues(case: Case) -> Iterator[Finding]:
    """Yield every finding about queues, cohorts and pods without a queue."""
    if isinstance(case.snapshot.queues, Known):
        now = case.snapshot.queues.value
        queues, cohorts, origin = _wanted(case)
        yield from _compare(case, "queue", queues, now.queues, origin)
        yield from _compare(case, "cohort", cohorts, now.cohorts, origin)
        yield from _cohorts(case, now)
        stopped = {each.name for each in planned_queues(case.plan) if each.stop_policy != "None"}
        for queue in now.queues:
            yield from _boundless(case, queue)
            if queue.idle_reason and queue.name not in stopped:
                yield _idle(case, queue)
        yield from _local_queues(case, now)
    if isinstance(case.snapshot.unmanaged, Known):
        yield from _unmanaged(case)


def _wanted(case: Case) -> tuple[Iterable[Node], Iterable[Node], str]:
    deployed = case.snapshot.deployed
    if isinstance(deployed, Known):
        return deployed.value.queues, deployed.value.cohorts, "state"
    return planned_queues(case.plan), planned_cohorts(case.plan), "plan"


def _finding(
    case: Case, code: str, severity: Severity, name: str, message: str, fix: str, **numbers: int | str | None
) -> Finding:
    return Finding(code, "queues", severity, name, message, tuple(numbers.items()), case.owner_of(name), fix)


def _compare(
    case: Case, kind: str, wanted: Iterable[Node], found: Iterable[Node], origin: str
) -> Iterator[Finding]:
    held, expected = {each.name: each for each in found}, {each.name: each for each in wanted}
    up = f"pulumi up -s {case.stack} --refresh"
    blame = "it was removed behind Pulumi's back" if origin == "state" else f"the {origin} has it"
    for name in sorted(expected.keys() - held.keys()):
        message = f"the {kind} {name} is not in the cluster: {blame}"
        yield _finding(case, f"{kind}-missing", "error", name, message, up)
    for name in sorted(held.keys() - expected.keys()):
        promised = any(limit.nominal for limit in held[name].limits)
        message = f"the {kind} {name} is in the cluster, and not in the {origin}" + (
            "; it promises quota that is promised to others" if promised else ""
        )
        fix = f"make it a pipeline of Pulumi.{case.stack}.yaml, or delete it"
        severity: Severity = "error" if promised else "warning"
        yield _finding(case, f"{kind}-unplanned", severity, name, message, fix)
    for name in sorted(held.keys() & expected.keys()):
        if found_so := tuple(differences(expected[name], held[name])):
            message = f"the {kind} {name} is not as in the {origin}: {'; '.join(found_so)}"
            by_whom = "; it was changed behind Pulumi's back" if origin == "state" else ""
            count = len(found_so)
            yield _finding(case, f"{kind}-changed", "error", name, message + by_whom, up, differences=count)


def _cohorts(case: Case, now: QueuesNow) -> Iterator[Finding]:
    """A cohort that a queue names and that is not there has no limits: caps vanish without a word."""
    there = {cohort.name for cohort in now.cohorts}
    named = [(queue.name, queue.cohort) for queue in now.queues]
    named += [(cohort.name, cohort.parent) for cohort in now.cohorts]
    for name, above in named:
        if above and above not in there:
            message = f"{name} names the cohort {above}, which is not there: nothing limits what it borrows"
            fix = f"pulumi up -s {case.stack} --refresh"
            yield _finding(case, "cohort-implicit", "error", name, message, fix)


def _boundless(case: Case, queue: ClusterQueueNow) -> Iterator[Finding]:
    open_ended = [f"{limit.pool}/{limit.resource}" for limit in queue.limits if limit.borrowing is None]
    if queue.cohort and open_ended:
        message = f"{queue.name} has no borrowing limit of {', '.join(open_ended)}: it has no cap"
        fix = f"pulumi up -s {case.stack} --refresh, or set borrowingLimit of the queue"
        yield _finding(case, "queue-boundless", "error", queue.name, message, fix)


def _idle(case: Case, queue: ClusterQueueNow) -> Finding:
    message = f"{queue.name} admits nothing: {queue.idle_reason}"
    message += f"; {queue.pending} jobs wait" if queue.pending else ""
    fix = f"kubectl describe clusterqueue {queue.name}"
    return _finding(case, "queue-inactive", "error", queue.name, message, fix, pending=queue.pending)


def _local_queues(case: Case, now: QueuesNow) -> Iterator[Finding]:
    led = {(each.namespace, each.name): each.queue for each in now.local_queues}
    ours = {namespace.name for namespace in case.plan.tenancy.namespaces}
    for name in sorted(ours):
        if (name, name) not in led:
            message = f"the namespace {name} has no local queue {name}: nothing gets into its quota"
            fix = f"pulumi up -s {case.stack} --refresh"
            yield _finding(case, "local-queue-missing", "error", name, message, fix)
    for (namespace, name), queue in sorted(led.items()):
        if queue != namespace and (namespace in ours or queue in ours):
            message = f"the local queue {name} of the namespace {namespace} leads to {queue}: another's quota"
            fix = f"kubectl delete localqueue {name} -n {namespace}"
            yield _finding(case, "local-queue-astray", "error", f"{namespace}/{name}", message, fix)
    for each in now.local_queues:
        if each.namespace in ours and each.stop_policy != "None":
            message = (
                f"the stopPolicy of the local queue {each.namespace} is {each.stop_policy}: nothing gets in"
            )
            fix = f"pulumi up -s {case.stack} --refresh"
            name = f"{each.namespace}/{each.name}"
            yield _finding(case, "local-queue-stopped", "error", name, message, fix)


def _unmanaged(case: Case) -> Iterator[Finding]:
    unmanaged = case.snapshot.unmanaged
    for each in unmanaged.value if isinstance(unmanaged, Known) else ():
        held = ", ".join(shown(resource, amount) for resource, amount in each.held if amount)
        message = (
            f"{each.pods} pods of the namespace {each.namespace} run on {each.pool} and were admitted by no "
            f"queue; they hold {held or 'what they do not say'}, which is in nobody's quota"
        )
        fix = f"label them kueue.x-k8s.io/queue-name, or delete them: kubectl get pods -n {each.namespace}"
        numbers = (("pods", each.pods), *each.held)
        owner = case.owner_of(each.namespace)
        subject = f"{each.namespace}/{each.pool}"
        yield Finding("unmanaged-pods", "queues", "error", subject, message, numbers, owner, fix)
