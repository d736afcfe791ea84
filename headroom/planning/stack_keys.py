"""Which key of a stack file a resource comes from, as far as its name tells."""

from collections.abc import Iterable

from headroom.planning.plan import Plan
from headroom.planning.queues import EXPERIMENTS

_EXPERIMENTS_KEY = "headroom:quota.experiments"


def find_key(resource: str, plan: Plan) -> str:
    """Return the key of the pipeline or pool that a resource is named after; empty where it is of neither.

    What is a key already, as some rules name what is no resource, is that key.
    A name that holds several is that of the longest: `feed-training` rather than `feed`.
    """
    if resource.startswith("headroom:"):
        return resource
    name = resource.removeprefix(f"{plan.environment}-")
    if found := _longest(name, (pipeline.name for pipeline in plan.pipelines)):
        return f"headroom:pipelines.{found}"
    if f"-{EXPERIMENTS}-" in f"-{name}-":
        return _EXPERIMENTS_KEY
    if found := _longest(name, (pool.name for pool in plan.pools)):
        return f"headroom:pools.{found}"
    return ""


def _longest(name: str, known: Iterable[str]) -> str:
    held = (each for each in known if f"-{each}-" in f"-{name}-")
    return max(held, key=len, default="")
