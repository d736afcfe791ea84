"""How many values a comparison needs before its distance says more than chance.

Of two samples of one distribution, with n and m values in B bins, the population stability index is about
(1/n + 1/m) times a chi-squared variable with B - 1 degrees of freedom (B. Yurdakul, "Statistical Properties
of Population Stability Index", Western Michigan University, 2018). Near 0 the Jensen-Shannon divergence is
an eighth of it in nats.
"""

from math import ceil, log

from scipy.special import chdtri

from headroom_metrics.distances import Method
from headroom_metrics.errors import MetricsError

FALSE_ALARM = 0.001
"""How often a window of the size required crosses its threshold though nothing has changed."""

_VALUES_PER_BIN = 5


def require_sample_size(method: Method, threshold: float, bins: int, reference: int) -> int:
    """Return how many values a window needs to be compared with a reference of that many values.

    At least five for each bin, below which the approximation does not hold. A reference too small for any
    window is refused with a MetricsError that says how large it must be.
    """
    noise = float(chdtri(bins - 1, FALSE_ALARM)) / _as_psi(method, threshold)
    least = max(ceil(2 * noise), _VALUES_PER_BIN * bins)
    if reference < least:
        raise MetricsError(
            f"the reference has {reference} values: with {bins} bins and a threshold of {threshold} "
            f"({method}) it needs {least}, or chance alone would look like drift"
        )
    return max(ceil(1 / (1 / noise - 1 / reference)), _VALUES_PER_BIN * bins)


def _as_psi(method: Method, threshold: float) -> float:
    return threshold if method == "psi" else 8 * log(2) * threshold**2
