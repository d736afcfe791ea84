"""Taints of nodes: what is promised of a pool must be let run on its nodes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headroom.catalog.labels import node_taints
from headroom.planning.cluster import SYSTEM_TAINT
from policies.node_pools import ReadPool
from policies.queues import Flavor
from policies.resources import ABSENT, UNKNOWN, Missing, each, has_unknown, read
from policies.rules import Found

_EFFECTS = {
    "NO_SCHEDULE": "NoSchedule",
    "NO_EXECUTE": "NoExecute",
    "PREFER_NO_SCHEDULE": "PreferNoSchedule",
}
"""What Kubernetes calls the effects of Google's API."""


@dataclass(frozen=True, slots=True)
class Taint:
    """What keeps pods off a node."""

    key: Any
    value: Any
    effect: Any
    """As Kubernetes calls it."""

    def is_tolerated(self, tolerations: Any) -> bool:
        """Return whether one of a flavor's tolerations lets pods onto the node all the same."""
        return self.effect == "PreferNoSchedule" or any(map(self._is_matched, each(tolerations)))

    def _is_matched(self, toleration: Any) -> bool:
        key, effect = read(toleration, "key"), read(toleration, "effect")
        exists = read(toleration, "operator") == "Exists"
        if key != self.key and not (exists and key in (ABSENT, "")):
            return False
        return effect in (self.effect, ABSENT, "") and (exists or read(toleration, "value") == self.value)


def check_taints(pool: ReadPool, flavor: Flavor) -> Iterator[Found]:
    """Yield what keeps work off its pool: Kueue gives it the tolerations of the flavor, and no others."""
    tolerations = flavor.resource.read("spec", "tolerations")
    for taint in _gke_taints(pool):
        if not taint.is_tolerated(tolerations):
            message = f"does not tolerate {taint.key}, which GKE puts on the nodes of {pool.label}"
            yield flavor.resource, message, "keep its tolerations as the program makes them"
    for node_pool in pool.resources:
        for taint in _own_taints(node_pool.read("nodeConfig", "taints")):
            if not taint.is_tolerated(tolerations):
                message = f"has the taint {_shown(taint.key)}, which its flavor does not tolerate"
                yield node_pool, f"{message}, so that what is promised there runs nowhere", "remove the taint"


def check_system_taints(pool: ReadPool) -> Iterator[Found]:
    """Yield what keeps the cluster's own parts off their pool: they tolerate its taint and no other."""
    system = Taint(SYSTEM_TAINT[0], SYSTEM_TAINT[1], _EFFECTS[SYSTEM_TAINT[2]])
    for node_pool in pool.resources:
        for taint in _own_taints(node_pool.read("nodeConfig", "taints")):
            if taint != system and not taint.is_tolerated(()):
                message = f"has the taint {_shown(taint.key)}, so that what the cluster needs runs nowhere"
                yield node_pool, message, "keep the system's own taint alone"


def _gke_taints(pool: ReadPool) -> Iterator[Taint]:
    plan = pool.plan
    for text in node_taints(plan.machine, plan.accelerator, plan.capacity) if plan else ():
        key, _, rest = text.partition("=")
        value, _, effect = rest.partition(":")
        yield Taint(key, value, effect)


def _own_taints(taints: Any) -> Iterator[Taint]:
    if taints is UNKNOWN:
        yield Taint(UNKNOWN, UNKNOWN, UNKNOWN)
    for row in each(taints):
        effect = UNKNOWN if has_unknown(row) else read(row, "effect")
        yield Taint(read(row, "key"), read(row, "value"), _EFFECTS.get(effect, effect))


def _shown(key: Any) -> str:
    return f"that is {key.value}" if isinstance(key, Missing) else str(key)
