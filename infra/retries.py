"""What is only late is tried again: one mechanism, bounded, for every resource.

A project's first `up` meets APIs that were enabled a moment ago, service agents that do not exist yet, and
permissions that have not spread. Everything else fails at once.
"""

import asyncio
import re

import pulumi

MAX_ATTEMPTS = 20
FIRST_DELAY_SECONDS = 5.0
LONGEST_DELAY_SECONDS = 60.0

_LATE = re.compile(
    r"SERVICE_DISABLED|has not been used in project .* before or it is disabled"
    r"|Error 400: Service account .* does not exist"
    r"|Error 400: .*Identity Pool does not exist"
    r"|Error 403: .*(Permission|permission).*(denied|may not exist)"
    r"|Error 404: .*(serviceAccount|Service account)"
    r"|Error 4(09|29): .*(concurrent|rateLimitExceeded|operation in progress|Please retry)"
    r"|Error (429|503)\b"
    r"|resourceNotReady|is not ready|notReady"
)
_FINAL = re.compile(r"[Qq]uota .*exceeded|QUOTA_EXCEEDED|alreadyExists|deletion_protection|billing")


def is_transient(errors: list[str]) -> bool:
    """Return whether the newest of `errors` says only that something is not there yet."""
    newest = errors[0] if errors else ""
    return bool(_LATE.search(newest)) and not _FINAL.search(newest)


def delay_seconds(attempts: int) -> float:
    """Return how long to wait after the given number of failed attempts: doubling, up to a minute."""
    return min(FIRST_DELAY_SECONDS * 2 ** max(attempts - 1, 0), LONGEST_DELAY_SECONDS)


async def _retry_if_late(args: pulumi.ErrorHookArgs) -> bool:
    attempts = len(args.errors)
    if attempts >= MAX_ATTEMPTS or not is_transient(args.errors):
        return False
    delay = delay_seconds(attempts)
    pulumi.log.info(f"{args.name}: not ready yet, attempt {attempts + 1} of {MAX_ATTEMPTS} in {delay:.0f} s")
    await asyncio.sleep(delay)
    return True


def retry_hook() -> pulumi.ErrorHook:
    """Return the hook that tries again what is only late; one serves a whole stack."""
    return pulumi.ErrorHook("retry-what-is-late", _retry_if_late)
