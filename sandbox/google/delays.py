"""How long things take and how late they are seen: drawn from a seed, scaled so that nobody waits."""

import os
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sandbox.google.facts import load_table
from sandbox.google.store import Store

# A real second is a thousandth of one here: a cluster takes half a second, an enabled API a fifth.
DEFAULT_SCALE: Final = 0.001
SEED: Final = "seed"
SCALE: Final = "scale"


@dataclass(frozen=True)
class Pace:
    """The seed that all delays come from, and how long a real second is in this world (0: no delays)."""

    seed: str = "0"
    scale: float = DEFAULT_SCALE

    def lag(self, kind: str, token: str, identity: str) -> float:
        """Seconds from the birth of an object until others see it: its creation, then the lag of its kind.

        The kinds are those of facts/delays.yaml; the answer is always the same for the same object.
        """
        quickest, slowest = load_table("delays")["lags"][kind]
        spread = self._draw(f"lag/{kind}/{identity}", quickest, slowest)
        return self.duration(token, identity, "create") + spread

    def duration(self, token: str, identity: str, operation: str) -> float:
        """Seconds until the answer to an operation comes."""
        table = load_table("delays")["operations"]
        quickest, slowest = table.get(token, table["default"])
        return self._draw(f"{operation}/{token}/{identity}", quickest, slowest)

    def _draw(self, what: str, quickest: float, slowest: float) -> float:
        if self.scale == 0:
            return 0.0
        return random.Random(f"{self.seed}/{what}").uniform(quickest, slowest) * self.scale  # noqa: S311


def read_pace(store: Store, environment: Mapping[str, str] = os.environ) -> Pace:
    """The pace of a world: HEADROOM_CLOUD_SEED and HEADROOM_CLOUD_SCALE, else what the world was told.

    Raises ValueError if the scale is no number or negative.
    """
    seed = environment.get("HEADROOM_CLOUD_SEED") or store.knob(SEED) or Pace.seed
    text = environment.get("HEADROOM_CLOUD_SCALE") or store.knob(SCALE)
    return Pace(seed, parse_scale(text) if text else DEFAULT_SCALE)


def parse_scale(text: str) -> float:
    """The scale that a text says. Raises ValueError if it is no number of 0 or more."""
    try:
        scale = float(text)
    except ValueError:
        scale = -1.0
    if not 0 <= scale < float("inf"):
        raise ValueError(
            f"the scale of delays must be a number of 0 or more, not {text!r}; 0 turns delays off"
        )
    return scale


def wait(seconds: float) -> None:
    """Let the time pass that an operation takes."""
    if seconds > 0:
        time.sleep(seconds)
