"""What is only late is tried again: one mechanism, bounded, for every resource.

A project's first `up` meets APIs that were enabled a moment ago, service agents that do not exist yet, and
permissions that have not spread. Everything else fails at once.
"""

import asyncio
import os
import re
from dataclasses import dataclass

import pulumi

MAX_ATTEMPTS = 20
FIRST_DELAY_SECONDS = 5.0
LONGEST_DELAY_SECONDS = 60.0

SCALE_VARIABLE = "HEADROOM_RETRY_SCALE"
"""How long a second of waiting is; the sandbox, whose time runs faster, sets it below 1."""


@dataclass(frozen=True, slots=True)
class Lateness:
    """A reason for which something is late, how Google and the provider say so, and how often it is tried."""

    reason: str
    pattern: str
    attempts: int = MAX_ATTEMPTS


LATE = (
    Lateness(
        "the API was enabled a moment ago",
        r"SERVICE_DISABLED|has not been used in project .* or it is disabled",
    ),
    Lateness(
        "the account is not known everywhere yet",
        r"Error 400: .*[Ss]ervice account .* does not exist|Error 404: .*[Ss]ervice ?[Aa]ccount",
    ),
    Lateness("the identity pool comes with the first cluster", r"Error 400: .*Identity Pool does not exist"),
    Lateness(
        "the agent's right to use the key has not spread yet",
        r"Error 40[03]: .*(cryptoKeyVersions\.useTo|service-[0-9]+@).*([Pp]ermission|denied|may not exist)"
        r"|Error 40[03]: .*([Pp]ermission|denied).*(cryptoKeyVersions\.useTo|service-[0-9]+@)",
    ),
    # A caller without the right is answered in the same words, so this is not tried for long.
    Lateness(
        "the permission may not have spread yet", r"Error 403: .*[Pp]ermission.*(denied|may not exist)", 5
    ),
    Lateness(
        "somebody else is changing it", r"Error 409: .*(concurrent|operation in progress|[Pp]lease retry)"
    ),
    Lateness("too many requests", r"Error 429\b|rateLimitExceeded|server has received too many requests"),
    Lateness("the service is not available", r"Error 503\b|server is currently unable to handle the request"),
    Lateness("Kueue's webhook does not answer yet", r"failed calling webhook", 6),
    Lateness("it is not ready", r"resourceNotReady|is not ready"),
)
"""What is only late. Where no answer came (a timeout, a lost connection) nobody knows whether it was done:
that is final, and docs/runbooks/half-failed-up.md says what to do."""

_FINAL = re.compile(
    r"quotaExceeded|QUOTA_EXCEEDED|alreadyExists|deletion_protection|billing (is|account|has)"
    r"|timeout while waiting",
    re.IGNORECASE,
)


def find_lateness(errors: list[str]) -> Lateness | None:
    """Return why the newest of `errors` is only late, or None where it is final."""
    newest = errors[0] if errors else ""
    if _FINAL.search(newest):
        return None
    return next((late for late in LATE if re.search(late.pattern, newest)), None)


def delay_seconds(attempts: int) -> float:
    """Return how long to wait after the given number of failed attempts: doubling, up to a minute."""
    return min(FIRST_DELAY_SECONDS * 2 ** max(attempts - 1, 0), LONGEST_DELAY_SECONDS)


async def _retry_if_late(args: pulumi.ErrorHookArgs) -> bool:
    attempts, late = len(args.errors), find_lateness(args.errors)
    if late is None or attempts >= late.attempts:
        return False
    delay = delay_seconds(attempts)
    pulumi.log.info(
        f"{args.name}: {late.reason}; attempt {attempts + 1} of {late.attempts} follows in {delay:.0f} s"
    )
    await asyncio.sleep(delay * float(os.environ.get(SCALE_VARIABLE, "1")))
    return True


def retry_hook() -> pulumi.ErrorHook:
    """Return the hook that tries again what is only late; one serves a whole stack."""
    return pulumi.ErrorHook("retry-what-is-late", _retry_if_late)
