"""Rules for the cloud's quotas: what is promised has been granted, and a request asks for enough."""

from collections.abc import Iterator

from headroom.planning.allocation import find_shortfalls
from headroom.planning.grants import UNLIMITED, Standing, compare
from policies.model import Model
from policies.resources import Missing, Resource
from policies.rules import Found, Rule, split
from policies.settings import Settings
from policies.shares import draw_quota, read_sharing

_PULL = "run `headroom quota pull` and commit its file, or ask for the quota"


def _check_granted(model: Model, settings: Settings) -> Iterator[Found]:
    if model.node_pools and not model.region:
        yield (
            model.stack,
            "the cluster's location is not known, so neither is its quota",
            "write it out in the program",
        )
        return
    sharing = read_sharing(model, settings)
    for problem in find_shortfalls(sharing.shares, sharing.bounds):
        message, remedy = split(problem)
        yield problem.path, message, remedy
    for standing in compare(draw_quota(model), model.records.grants):
        quota = standing.draw.quota.quota_id
        if standing.state == "unknown":
            yield (
                quota,
                f"nobody knows what is granted, and the stack draws {standing.draw.amount:,} at its peak",
                _PULL,
            )
        elif standing.state == "short" and not _asked(model, standing):
            yield (
                quota,
                f"{standing.granted:,} are granted, and the stack draws {standing.draw.amount:,} at its peak",
                "lower a pool's max, or ask for more with headroom:quota.requests",
            )


def _check_awaited(model: Model, _: Settings) -> Iterator[Found]:
    for standing in compare(draw_quota(model), model.records.grants):
        if standing.state == "short" and (request := _asked(model, standing)):
            yield (
                request,
                f"the stack draws {standing.draw.amount:,} of {standing.draw.quota.quota_id} at its peak, "
                f"{standing.granted:,} are granted, and more is asked for",
                "wait for the grant before the pools need it",
            )


def _check_preferences(model: Model, _: Settings) -> Iterator[Found]:
    for standing in compare(draw_quota(model), model.records.grants):
        line = standing.draw.quota
        for request in _requests(model, line.quota_id):
            preferred = _preferred(request)
            if isinstance(preferred, Missing):
                yield request, f"its preferredValue of {line.quota_id} is {preferred.value}", "write it out"
            elif preferred != UNLIMITED and preferred < standing.draw.amount and _is_for(request, standing):
                yield (
                    request,
                    f"asks for {preferred:,} of {line.quota_id}, below the {standing.draw.amount:,} that the "
                    "stack draws at its peak",
                    f"ask for {standing.draw.amount:,} at least",
                )


def _requests(model: Model, quota_id: str) -> Iterator[Resource]:
    return (each for each in model.quota_preferences if each.read("quotaId") == quota_id)


def _asked(model: Model, standing: Standing) -> Resource | None:
    """The request of the stack that covers what is drawn."""
    for request in _requests(model, standing.draw.quota.quota_id):
        preferred = _preferred(request)
        enough = isinstance(preferred, int) and (preferred == UNLIMITED or preferred >= standing.draw.amount)
        if enough and _is_for(request, standing):
            return request
    return None


def _is_for(request: Resource, standing: Standing) -> bool:
    """Whether the request is for the very quota: its dimensions are those, its region included."""
    line = standing.draw.quota
    wanted = dict(line.dimensions) | ({"region": line.region} if line.region else {})
    dimensions = request.read("dimensions")
    return ({} if isinstance(dimensions, Missing) else dict(dimensions)) == wanted


def _preferred(request: Resource) -> int | Missing:
    value = request.read("quotaConfig", "preferredValue")
    return value if isinstance(value, Missing) else int(value)


CLOUD_QUOTA_RULES = (
    Rule(
        name="capacity-is-granted",
        description="The cloud has granted, or is asked for, what pools draw; promises fit into what it has.",
        family="quota",
        severity="high",
        reference="Q2",
        remedy="Run `headroom quota pull`; lower pools, or ask for quota.",
        of_stack=_check_granted,
        settings=("headroom.share", "headroom.pools", "system_pods"),
    ),
    Rule(
        name="grants-are-awaited",
        description="Pools that the cloud has not granted whole are pointed out while the request is open.",
        family="quota",
        severity="medium",
        level="advisory",
        reference="Q2",
        remedy="Wait for the grant before the pools need it.",
        of_stack=_check_awaited,
    ),
    Rule(
        name="requests-suffice",
        description="A request for quota asks for no less than the stack draws.",
        family="quota",
        severity="high",
        reference="Q2",
        remedy="Ask for what the stack draws at its peak.",
        of_stack=_check_preferences,
    ),
)
