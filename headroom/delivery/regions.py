"""Of the regions that a model is in: the one that is meant, and those that have the newest release."""

from collections.abc import Iterable
from dataclasses import replace

from headroom.delivery.progress import UNBEGUN, Rollout, sort_latest
from headroom.planning.rollouts import RolloutPlan
from headroom.spec.errors import suggest


class UnknownRegionError(ValueError):
    """Releases do not go there."""


def narrow_to_region(delivered: RolloutPlan, stack: str | None) -> RolloutPlan:
    """Return what of a delivery is in the region of a stack; all of it for None.

    Raises UnknownRegionError where it does not go there.
    """
    if stack is None:
        return delivered
    known = {each.production.site.stack: each for each in delivered.regions}
    if stack not in known:
        raise UnknownRegionError(
            f"{delivered.pipeline} is not released to {stack}{suggest(stack, known)}; "
            f"it is released to {', '.join(known)}"
        )
    return replace(known[stack], further=())


def find_returning(delivered: RolloutPlan, rollouts: Iterable[Rollout]) -> tuple[RolloutPlan, ...]:
    """Return the regions that have the newest of the releases in production: all that a bad model is in.

    Those of a delivery that has released nothing yet are all.
    """
    known = tuple(rollouts)
    present = {region.production.name: find_present(region, known) for region in delivered.regions}
    begun = [each for each in present.values() if each]
    if not begun:
        return delivered.regions
    newest = max(
        {each.release for each in begun},
        key=lambda release: min(each.created for each in known if each.release == release),
    )
    having = {target for target, each in present.items() if each and each.release == newest}
    return tuple(region for region in delivered.regions if region.production.name in having)


def find_present(region: RolloutPlan, rollouts: Iterable[Rollout]) -> Rollout | None:
    """Return the latest rollout to a region that has changed anything; None: none has."""
    latest = sort_latest(rollouts, region.production.name)
    return next((each for each in latest if each.state not in UNBEGUN), None)
