"""Which quota the program asks Google for: what the pools draw at their peak and the project has not got.

A preference (Google's name for such a request) can be raised and never be deleted, and Google takes one for
each quota and set of dimensions. So each that `quotas/<stack>.json` records stays in the program for good,
under the name that it has in the cloud, whoever made it: once granted it is left as it is, and the next
raise is an update of it. Were it dropped when it is granted, the raise after that would be a creation, and
collide with it. The file decides rather than the state because it is there in a plan without credentials,
in a new stack, and after a destroy, which takes the preference out of the state and leaves it in force.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from shlex import quote
from typing import Literal

from headroom.catalog.quotas import QuotaLine
from headroom.planning.grants import UNLIMITED, Grants, Preference, find_grant
from headroom.planning.quota import QuotaDraw
from headroom.spec.errors import Problem
from headroom.spec.platform import Platform
from headroom.spec.quota import Requests

RequestState = Literal["to be asked", "pending", "partly granted", "granted", "unknown"]

PREFERENCE_TYPE = "gcp:cloudquota/sQuotaPreference:SQuotaPreference"

_LONGEST_NAME = 63
_HASH_DIGITS = 8


@dataclass(frozen=True, slots=True)
class QuotaRequest:
    """A preference as the program has it."""

    quota: QuotaLine
    key: str
    """What the program calls it, and the cloud too unless somebody made it under another name."""
    name: str
    """What the cloud calls it."""
    drawn: int
    """What the pools draw at their peak; 0 where none of them draws it any more."""
    held: int | None
    """The limit that is in force; None: not known."""
    preferred: int
    """What is asked for, in the quota's own unit; see `UNLIMITED`."""
    exists: bool
    """Whether the cloud has a preference for this quota already."""
    settled: bool
    """Whether it is to stay as it is in the cloud."""
    granted: int | None
    """What Google gave in answer, as the file records it; None: it did not answer, or does not say."""
    state: RequestState


@dataclass(frozen=True, slots=True)
class CloudQuotasPlan:
    """What is asked for, by whom, and what is not asked for because too little is known."""

    contact: str
    justification: str
    requests: tuple[QuotaRequest, ...]
    unknown: tuple[QuotaLine, ...]
    """Quotas whose grant is not known; for these nothing is asked, since it might be less than there is."""
    preferences_known: bool
    """False: the grants do not say which preferences there are, so nothing at all is asked."""


def plan_cloud_quotas(
    requests: Requests | None, environment: str, draws: Iterable[QuotaDraw], grants: Grants | None
) -> CloudQuotasPlan | None:
    """Return the requests for what `draws` (one for each quota) exceed; None: the stack asks for nothing.

    Nothing is ever lowered: what is asked for exceeds both what is granted and what was asked for before. An
    unlimited quota needs no request, and neither does a pool on a reservation, which draws nothing.
    """
    if requests is None:
        return None
    draws = tuple(draws)
    held = grants.grants if grants else ()
    preferences = grants.preferences if grants else None
    found = _decide(environment, draws, grants, preferences) if grants and preferences is not None else ()
    return CloudQuotasPlan(
        contact=requests.contact,
        justification=requests.justification,
        requests=tuple(sorted(found, key=lambda request: request.key)),
        unknown=tuple(draw.quota for draw in draws if find_grant(draw.quota, held) is None),
        preferences_known=preferences is not None,
    )


def judge_request(preferred: int, granted: int | None, *, reconciling: bool) -> RequestState:
    """Return how Google has answered a preference.

    `reconciling`: it has not decided. A decision for less than was asked, or for no more than there was, is
    `partly granted`; where `granted` is None, nobody knows.
    """
    if granted is not None and _exceeds_or_is(granted, preferred):
        return "granted"
    if reconciling:
        return "pending"
    return "unknown" if granted is None else "partly granted"


def name_request(environment: str, quota: QuotaLine) -> str:
    """Return the name that a preference gets: unique in the project, so with region and dimensions.

    At most 63 characters; what would be longer ends in a hash of the whole.
    """
    short = re.sub(r"-per-project(-region)?$", "", quota.quota_id)
    parts = [short, quota.region or "", *(value for _, value in quota.dimensions)]
    name = f"{environment}-quota-" + re.sub(r"[^a-z0-9]+", "-", "-".join(filter(None, parts)).lower())
    if len(name) <= _LONGEST_NAME:
        return name
    digest = sha256(repr((name, quota.service, quota.quota_id, quota.dimensions)).encode()).hexdigest()
    return f"{name[: _LONGEST_NAME - _HASH_DIGITS - 1].rstrip('-')}-{digest[:_HASH_DIGITS]}"


def place_request(quota: QuotaLine) -> Mapping[str, str]:
    """Return a preference's dimensions: the region is one of them; a quota of the whole project has none."""
    region = {"region": quota.region} if quota.region else {}
    return region | dict(quota.dimensions)


def preference_id(project: str, name: str) -> str:
    """Return a preference's id as the program's state has it; Google writes the project's number."""
    return f"projects/{project}/locations/global/quotaPreferences/{name}"


def render_import(environment: str, project: str, key: str, name: str) -> str:
    """Return the command that takes an existing preference into the stack, and does nothing if it is there.

    The variables name the project that the request is counted against, without which Cloud Quotas refuses
    people's own credentials (provider documentation, "User ADCs", 2026-08-21).
    """
    return (
        f"USER_PROJECT_OVERRIDE=true GOOGLE_BILLING_PROJECT={project} "
        f"pulumi import {PREFERENCE_TYPE} {key} {quote(preference_id(project, name))} "
        f"--stack {environment} --protect=false --generate-code=false"
    )


def list_imports(plan: CloudQuotasPlan, environment: str, project: str) -> list[str]:
    """Return the commands for the preferences that `pulumi up` can raise only where the stack has them."""
    return [
        render_import(environment, project, request.key, request.name)
        for request in plan.requests
        if request.exists and not request.settled
    ]


def check_contact(platform: Platform) -> list[Problem]:
    """Refuse a contact that is a group's address, as far as the stack file tells."""
    if platform.quota.requests is None:
        return []
    contact = platform.quota.requests.contact.lower()
    for group, where in _groups(platform):
        if group.lower() == contact:
            path = "headroom:quota.requests.contact"
            return [Problem(path, f"is a group's address ({where}); name a person, whom Google can ask")]
    return []


def _groups(platform: Platform) -> Iterator[tuple[str, str]]:
    owners = [(pipeline.owner, f"the owner of {name}") for name, pipeline in platform.pipelines.items()]
    owners += [(owner, "an owner of experiments") for owner in platform.quota.experiments.owners]
    for owner, where in owners:
        if owner.startswith("group:"):
            yield owner.removeprefix("group:"), where
    if platform.cluster.security_group:
        yield platform.cluster.security_group, "headroom:cluster.security_group"


def _decide(
    environment: str, draws: Iterable[QuotaDraw], grants: Grants, preferences: Iterable[Preference]
) -> Iterator[QuotaRequest]:
    left = {_line(preference): preference for preference in preferences}
    for draw in draws:
        grant = find_grant(draw.quota, grants.grants)
        held = grant.value if grant else None
        preference = left.pop(_line(draw.quota), None)
        if preference:
            yield _keep(environment, draw, held, preference)
        elif held is not None and not _exceeds_or_is(held, draw.amount):
            yield _ask(environment, draw, held)
    for line, preference in left.items():
        # A pool that is gone may come back; what others made and no pool draws is left to them.
        if preference.name == name_request(environment, line):
            grant = find_grant(line, grants.grants)
            yield _keep(environment, QuotaDraw(line, "", 0), grant.value if grant else None, preference)


def _line(item: QuotaLine | Preference) -> QuotaLine:
    """Return what tells a quota from any other."""
    return QuotaLine(item.quota_id, item.region, item.dimensions, service=item.service)


def _ask(environment: str, draw: QuotaDraw, held: int) -> QuotaRequest:
    name = name_request(environment, draw.quota)
    return QuotaRequest(
        draw.quota, name, name, draw.amount, held, draw.amount,
        exists=False, settled=False, granted=None, state="to be asked",
    )  # fmt: skip


def _keep(environment: str, draw: QuotaDraw, held: int | None, preference: Preference) -> QuotaRequest:
    """Raise a preference if what is held and what it asks for are both too little; else keep it."""
    suffices = held is None or _exceeds_or_is(held, draw.amount)
    settled = suffices or _exceeds_or_is(preference.preferred, draw.amount)
    asked, granted = preference.preferred, preference.granted
    return QuotaRequest(
        quota=draw.quota,
        key=name_request(environment, draw.quota),
        name=preference.name,
        drawn=draw.amount,
        held=held,
        preferred=asked if settled else draw.amount,
        exists=True,
        settled=settled,
        granted=granted,
        state=judge_request(asked, granted, reconciling=preference.reconciling) if settled else "to be asked",
    )


def _exceeds_or_is(amount: int, other: int) -> bool:
    return amount == UNLIMITED or (other != UNLIMITED and amount >= other)
