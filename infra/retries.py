"""What is only late is tried again: one mechanism, bounded, for every resource.

A project's first `up` meets APIs that were enabled a moment ago, service agents that do not exist yet, and
permissions that have not spread. Everything else fails at once.
"""

import asyncio
import os
import re

import pulumi

MAX_ATTEMPTS = 20
FIRST_DELAY_SECONDS = 5.0
LONGEST_DELAY_SECONDS = 60.0

SCALE_VARIABLE = "HEADROOM_RETRY_SCALE"
"""How long a second of waiting is; the sandbox, whose time runs faster, sets it below 1."""

LATE = {
    "the API was enabled a moment ago": r"SERVICE_DISABLED|has not been used in project .* or it is disabled",
    "the account is not known everywhere yet": (
        r"Error 400: .*[Ss]ervice account .* does not exist|Error 404: .*[Ss]ervice ?[Aa]ccount"
    ),
    "the identity pool comes with the first cluster": r"Error 400: .*Identity Pool does not exist",
    "the permission has not spread yet": r"Error 403: .*[Pp]ermission.*(denied|may not exist)",
    "somebody else is changing it": r"Error 409: .*(concurrent|operation in progress|[Pp]lease retry)",
    "too many requests": r"Error 429\b|rateLimitExceeded",
    "the service is not available": r"Error 503\b",
    "it is not ready": r"resourceNotReady|is not ready",
    "no answer came": r"timeout while waiting for state|connection reset|deadline exceeded|unexpected EOF",
}
"""Why something can be late, and how Google and the provider say so."""

_FINAL = re.compile(r"quotaExceeded|QUOTA_EXCEEDED|alreadyExists|deletion_protection|billing", re.IGNORECASE)


def find_delay_reason(errors: list[str]) -> str | None:
    """Return why the newest of `errors` is only late, or None where it is final."""
    newest = errors[0] if errors else ""
    if _FINAL.search(newest):
        return None
    return next((reason for reason, pattern in LATE.items() if re.search(pattern, newest)), None)


def delay_seconds(attempts: int) -> float:
    """Return how long to wait after the given number of failed attempts: doubling, up to a minute."""
    return min(FIRST_DELAY_SECONDS * 2 ** max(attempts - 1, 0), LONGEST_DELAY_SECONDS)


async def _retry_if_late(args: pulumi.ErrorHookArgs) -> bool:
    attempts, reason = len(args.errors), find_delay_reason(args.errors)
    if attempts >= MAX_ATTEMPTS or reason is None:
        return False
    delay = delay_seconds(attempts)
    pulumi.log.info(
        f"{args.name}: {reason}; attempt {attempts + 1} of {MAX_ATTEMPTS} follows in {delay:.0f} s"
    )
    await asyncio.sleep(delay * float(os.environ.get(SCALE_VARIABLE, "1")))
    return True


def retry_hook() -> pulumi.ErrorHook:
    """Return the hook that tries again what is only late; one serves a whole stack."""
    return pulumi.ErrorHook("retry-what-is-late", _retry_if_late)
