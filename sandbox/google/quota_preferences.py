"""Requests for quota: which Google takes, how it answers them, and what it never forgets.

Sources: https://cloud.google.com/docs/quotas/reference/rest/v1/projects.locations.quotaPreferences and
cloudquotas/v1/resources.proto of googleapis, 2026-11-21.
"""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final

from sandbox.google.errors import ApiError, already_exists, not_found
from sandbox.google.quotas import find_limit, known_quotas
from sandbox.google.rules import Request, Surroundings
from sandbox.google.store import LIVE, Store, WorldObject

PREFERENCE: Final = "gcp:cloudquota/sQuotaPreference:SQuotaPreference"
KNOB: Final = "quota requests"
"""How requests are answered: one of `ANSWERS`."""
AT_ONCE: Final = "at-once"
PARTLY: Final = "partly"
LATER: Final = "later"
ANSWERS: Final = (AT_ONCE, PARTLY, LATER)

_UNLIMITED: Final = 2.0**63
_LARGEST_CUT: Final = 0.1
_TARGET: Final = ("parent", "service", "quotaId", "dimensions")


def require_acceptable(request: Request, around: Surroundings) -> None:
    """Raise `ApiError` for a request for quota that Google does not take.

    404 for a quota that there is not and for an update under another name; 409 where the quota has one
    already, under whatever name; 400 for an update of what cannot change, a raise without a contact, and a
    decrease by more than a tenth or below what is used.
    """
    if request.token != PREFERENCE:
        return
    properties = request.properties
    if request.identity.rpartition("/")[2] != properties["name"]:
        parent = request.identity.rpartition("/")[0]
        raise not_found(f"{parent}/{properties['name']}")
    _require_quota(properties)
    for item in around.store.objects(PREFERENCE, LIVE):
        is_same = _target(item.properties) == _target(properties)
        if is_same and item.id != request.identity:
            raise already_exists(PREFERENCE, item.id)
        if not is_same and item.id == request.identity:
            raise _invalid("The quota and the dimensions of a quota preference are immutable.")
    _require_change(request, around)


def answer_request(store: Store, item: WorldObject, before: WorldObject | None = None) -> WorldObject:
    """Return a request for quota as Google has answered it, which the world then grants; any other as it is.

    `before` is what it was: a change that asks for no other amount is no new request.
    """
    if item.type != PREFERENCE:
        return item
    wanted, limit = _preferred(item.properties), _limit(store, item.project, item.properties)
    if before is not None and _preferred(before.properties) == wanted:
        config = {**before.properties["quotaConfig"], **_given(item.properties)}
        answered = _with(item, config, reconciling=before.properties["reconciling"])
    else:
        answer = store.knob(KNOB) or LATER
        if wanted <= limit or answer == AT_ONCE:
            limit = wanted
        elif answer == PARTLY:
            limit += (wanted - limit) // 2
        is_open = limit < wanted and answer == LATER
        store.set_limit(item.project, quota_of(item.properties), limit)
        config = {**item.properties["quotaConfig"], "grantedValue": _text(limit)}
        answered = _with(item, config, reconciling=is_open)
    store.put(answered)
    return answered


def decide(store: Store, project: str, quota: str, limit: float) -> None:
    """Let the request for a quota, if there is one, be decided: so much is granted and no more."""
    for item in store.objects(PREFERENCE, LIVE):
        if item.project == project and quota_of(item.properties) == quota:
            config = {**item.properties["quotaConfig"], "grantedValue": _text(limit)}
            store.put(_with(item, config, reconciling=False))


def quota_of(properties: Mapping[str, Any]) -> str:
    """Return the quota that a preference is for, as limits are named: id, region or global, dimensions."""
    dimensions = dict(properties.get("dimensions") or {})
    place = dimensions.pop("region", "global")
    pairs = (f"{name}={value}" for name, value in sorted(dimensions.items()))
    return "/".join([properties["quotaId"], place, *pairs])


def _require_quota(properties: Mapping[str, Any]) -> None:
    quota_id, given = properties.get("quotaId"), set(properties.get("dimensions") or {})
    wanted = known_quotas().get(quota_id or "")
    if wanted is None or properties.get("service") != "compute.googleapis.com":
        message = f"Limit '{quota_id}' does not exist or is not visible in the service."
        raise ApiError(HTTPStatus.NOT_FOUND, message, "notFound")
    if given != set(wanted):
        names = ", ".join(wanted) or "none"
        raise _invalid(f"The dimensions of quota '{quota_id}' are {names}, not {', '.join(given) or 'none'}.")


def _require_change(request: Request, around: Surroundings) -> None:
    properties = request.properties
    limit = _limit(around.store, request.project, properties)
    wanted = _preferred(properties)
    if wanted > limit and not properties.get("contactEmail"):
        raise _invalid("A contact email is required to request a quota increase.")
    ignored = properties.get("ignoreSafetyChecks")
    if wanted < limit * (1 - _LARGEST_CUT) and ignored != "QUOTA_DECREASE_PERCENTAGE_TOO_HIGH":
        raise _invalid(
            "The quota would decrease by more than 10 percent: QUOTA_DECREASE_PERCENTAGE_TOO_HIGH."
        )
    used = around.store.drawn(request.project, quota_of(properties), (request.token, request.identity))
    if wanted < min(limit, used) and ignored != "QUOTA_DECREASE_BELOW_USAGE":
        raise _invalid("The quota would be below its usage: QUOTA_DECREASE_BELOW_USAGE.")


def _target(properties: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(properties.get(name) or {} for name in _TARGET)


def _preferred(properties: Mapping[str, Any]) -> float:
    value = int(properties["quotaConfig"]["preferredValue"])
    return _UNLIMITED if value < 0 else float(value)


def _given(properties: Mapping[str, Any]) -> dict[str, Any]:
    config = properties["quotaConfig"]
    return {name: config[name] for name in ("preferredValue", "annotations") if name in config}


def _limit(store: Store, project: str, properties: Mapping[str, Any]) -> float:
    return find_limit(store.limits(project), quota_of(properties))


def _with(item: WorldObject, config: Mapping[str, Any], *, reconciling: bool) -> WorldObject:
    properties = {**item.properties, "quotaConfig": dict(config), "reconciling": reconciling}
    return replace(item, properties=properties)


def _text(limit: float) -> str:
    return "-1" if limit >= _UNLIMITED else str(int(limit))


def _invalid(message: str) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, message, "failedPrecondition")
