"""How far two distributions are from each other, both given as shares of the same bins."""

from typing import Literal

import numpy as np
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr

Method = Literal["psi", "jsd"]


def measure_distance(method: Method, reference: np.ndarray, shares: np.ndarray) -> float:
    """Return the distance by a method's name, as the label `method` has it."""
    return measure_psi(reference, shares) if method == "psi" else measure_jsd(reference, shares)


def measure_psi(reference: np.ndarray, shares: np.ndarray) -> float:
    """Return the population stability index: the symmetric relative entropy, in nats, from 0 upwards.

    Of 0.1 it is said that one should look, of 0.25 that one should act; that is a rule of thumb. It is
    infinite where a bin is empty on one side only, so shares come smoothed (`Bins.shares`).
    """
    return float(np.sum(rel_entr(reference, shares) + rel_entr(shares, reference)))


def measure_jsd(reference: np.ndarray, shares: np.ndarray) -> float:
    """Return the Jensen-Shannon distance to base 2, from 0 to 1: the square root of the divergence."""
    distance = float(jensenshannon(reference, shares, base=2))
    # Rounding can make the divergence of equal shares negative, and its root no number.
    return 0.0 if np.isnan(distance) else distance
