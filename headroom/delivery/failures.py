"""What happens when a delivery fails, and what to do: a row for each way."""

from collections.abc import Iterator

from headroom.delivery.commands import step_command
from headroom.delivery.names import name_people
from headroom.planning.delivery import RESTRICTED, DeliveryPlan
from headroom.planning.operations import NAMESPACE
from headroom.planning.plan import Plan
from headroom.planning.rollouts import RolloutPlan

Failure = tuple[str, str, str]

_LOGS = "`gcloud deploy rollouts describe` names the job that failed, and its log says why"

_REFUSED = {
    "ADVANCE": "going on",
    "APPROVE": "approving",
    "CREATE": "beginning",
    "IGNORE_JOB": "passing over a failed job",
}


def describe_refusals() -> str:
    """Return what a freeze refuses."""
    words = [_REFUSED[action] for action in RESTRICTED]
    return f"{', '.join(words[:-1])} and {words[-1]}"


def list_failures(plan: Plan, delivery: DeliveryPlan, rollout: RolloutPlan) -> Iterator[Failure]:
    """Yield what can go wrong, what happens by itself, and what to do, in the order of a rollout."""
    namespace = rollout.staging.namespace
    yield (
        "the release cannot be rendered, or an image is none of the registry's",
        "nothing is deployed",
        "run `headroom release check`, mend it and release it again",
    )
    yield (
        "the new model does not start in staging, or is not admitted",
        "the rollout to staging fails; production is as it was",
        f"{_LOGS}; `kubectl -n {namespace} get workloads,pods` shows what waits for quota",
    )
    yield (
        "validation fails in staging",
        "the release is not promoted; production is as it was",
        f"{_LOGS}: every reason is a line that begins with `not good`; train a better model and release that",
    )
    yield from _list_image_failures(delivery)
    if rollout.approvals.begin:
        yield (
            "nobody approves",
            "it waits; the present model answers all requests",
            "ask, or let it be rejected; a newer release that is approved takes its place",
        )
    if delivery.freezes:
        yield (
            "it is frozen",
            f"{describe_refusals()} are refused; a canary that fails is rolled back as ever",
            "wait for the end of the freeze, then do it by hand: what was refused is not tried again by "
            "itself, a promotion (`gcloud deploy releases promote`) neither; roll back at any time",
        )
    yield from _list_canary_failures(rollout)
    if any(region.production.approval for region in rollout.regions):
        yield from _list_waiting(plan, rollout)
    if rollout.further:
        yield (
            "it fails in a later region",
            "it is rolled back there, and goes on to none after it; the regions before it keep the new model",
            "find out whether the fault is the region's; else roll back, as below, where it still is",
        )
    yield from _list_late_failures()


def _list_image_failures(delivery: DeliveryPlan) -> Iterator[Failure]:
    yield (
        "the image of a good model cannot be copied",
        "validation fails, and the release is not promoted; production is as it was",
        f"{_LOGS}: `not good: its image was not copied`; mend that and release again, which goes on where "
        "the copy ended",
    )
    yield (
        "a release comes to production that staging did not validate",
        f"its pods are refused, as their image is not in `{delivery.images.validated_prefix}`; the rollout "
        "fails, the present model goes on answering",
        "release it by way of staging; one from before images were copied: render it anew and release that",
    )


def is_approved_by_itself(plan: Plan) -> bool:
    """Whether the cluster approves the rollbacks that wait for an approval."""
    return plan.operations is not None and any(job.returns for job in plan.operations.jobs)


def _list_waiting(plan: Plan, rollout: RolloutPlan) -> Iterator[Failure]:
    if is_approved_by_itself(plan):
        yield (
            "a rollback waits for an approval",
            "a job in the cluster approves the way back from a failed canary at the next minute; "
            "`RollbackJobSilent` pages where it has not succeeded for a quarter of an hour",
            f"`kubectl -n {NAMESPACE} get jobs` shows whether it runs; "
            f"{name_people(rollout.approvers)}: `{step_command(plan, 'approve', rollout.pipeline)}`",
        )
        return
    yield (
        "a rollback waits for an approval",
        f"until somebody approves it the canary keeps its share of the requests, no more than "
        f"{rollout.phases[-1].percent} %",
        f"{name_people(rollout.approvers)}: "
        f"`{step_command(plan, 'approve', rollout.pipeline)}`, in a freeze too",
    )


def _list_late_failures() -> Iterator[Failure]:
    yield (
        "the model turns out to be bad when all users have it",
        "the alerts of the pipeline page people; nothing is rolled back by itself any more",
        "roll back by hand, as below, and then look for the cause",
    )
    yield (
        "Cloud Deploy or the cluster's control plane cannot be reached",
        "nothing changes: what runs goes on answering",
        "wait; a job that ran out of time is tried again as any other failure",
    )


def _list_canary_failures(rollout: RolloutPlan) -> Iterator[Failure]:
    tries = {0: "at once", 1: "after one more try"}.get(
        rollout.retries, f"after {rollout.retries} more tries"
    )
    first, last = rollout.phases[0], rollout.phases[-1]
    yield (
        "the canary does not start, or does not export what it is judged by",
        f"the phase fails, and {tries} it is rolled back; no more than {last.percent} % of the requests went "
        "to it",
        _LOGS,
    )
    yield (
        "an alert of the canary fires",
        f"the phase fails, and {tries} (which fails at once while the alert fires) it is rolled back"
        if rollout.retries
        else "the phase fails, and it is rolled back at once",
        "the alert's runbook, linked above; train a better model and release that",
    )
    yield (
        f"the canary gets too few requests, below {rollout.least_qps:.3g} queries a second in all",
        f"CanaryStarved fires in the phase of {first.percent} %, as silence would pass for success; it is "
        "rolled back",
        "release again in busier hours",
    )
    if any(phase.hold for phase in rollout.phases):
        yield (
            "nobody lets it go on from a phase that holds",
            "it stays there, with both models answering",
            "decide: let it go on, or cancel it and roll back",
        )
