"""What Google Cloud has granted, as `quotas/<stack>.json` records it, and how a plan stands against it.

The file also records the preferences (requests for quota) that the project has, whoever made them. The cloud
never forgets one and takes only one for each quota, so the program has to know of it: to leave it as it is
where it suffices, and to raise it rather than to make a second one, which Google refuses.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from headroom.catalog.facts import load_facts, parse_pairs
from headroom.catalog.quotas import QuotaLine
from headroom.planning.quota import QuotaDraw
from headroom.spec.base import Flag, Section
from headroom.spec.errors import Problem, StackFileError
from headroom.spec.explain import explain
from headroom.spec.platform import ProjectId

UNLIMITED = -1
"""The value of a grant without a limit."""

STALE_AFTER = timedelta(days=30)
"""The age from which a file of grants is warned about."""

_NO_LIMIT_FROM = 9_000_000_000_000_000_000
_LARGEST_FILE = 4 * 2**20
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Grant:
    """A limit that Google enforces, in the quota's own unit; see `UNLIMITED`."""

    service: str
    quota_id: str
    region: str | None
    """None: of the project as a whole, or of every region that has no grant of its own."""
    dimensions: tuple[tuple[str, str], ...]
    value: int

    def covers(self, line: QuotaLine) -> bool:
        """Return whether the grant is the limit of `line` unless a more specific one is."""
        return (
            (self.service, self.quota_id) == (line.service, line.quota_id)
            and self.region in (None, line.region)
            and set(self.dimensions) <= set(line.dimensions)
        )


@dataclass(frozen=True, slots=True)
class Preference:
    """A request for quota that the project has: Google keeps one for each quota and set of dimensions."""

    name: str
    """The last part of its resource name; whoever made it chose it."""
    service: str
    quota_id: str
    region: str | None
    dimensions: tuple[tuple[str, str], ...]
    preferred: int
    """What was asked for, in the quota's own unit; see `UNLIMITED`."""
    granted: int | None
    """What Google gave in answer; None: it does not say."""
    reconciling: bool
    """Whether Google has yet to decide."""

    def is_for(self, line: QuotaLine) -> bool:
        """Return whether the preference is that of `line` itself, so that no other can be made."""
        return (self.service, self.quota_id, self.region, self.dimensions) == (
            line.service,
            line.quota_id,
            line.region,
            line.dimensions,
        )


@dataclass(frozen=True, slots=True)
class Grants:
    """The grants of a project, as they were when they were pulled (UTC, whole seconds)."""

    project: str
    pulled: datetime
    grants: tuple[Grant, ...]
    preferences: tuple[Preference, ...] | None = None
    """The requests that the project has; None: nobody asked, so that there may be any."""

    def is_stale(self, now: datetime) -> bool:
        """Return whether the grants are so old that they should be pulled anew."""
        return now - self.pulled > STALE_AFTER


@dataclass(frozen=True, slots=True)
class Standing:
    """How what a plan draws from one quota stands against the grant; `granted` None: nobody knows."""

    draw: QuotaDraw
    granted: int | None

    @property
    def state(self) -> Literal["enough", "short", "unknown"]:
        """Return `unknown` where the grant is; unknown is neither zero nor enough."""
        if self.granted is None:
            return "unknown"
        return "short" if self.short_by else "enough"

    @property
    def left(self) -> int | None:
        """What the grant leaves over when the plan draws its most; None: unlimited, or not known."""
        if self.granted is None or self.granted == UNLIMITED:
            return None
        return max(0, self.granted - self.draw.amount)

    @property
    def short_by(self) -> int:
        """By how much the grant would have to be raised; 0 where it suffices or is not known."""
        if self.granted is None or self.granted == UNLIMITED:
            return 0
        return max(0, self.draw.amount - self.granted)


def compare(draws: Iterable[QuotaDraw], grants: Grants | None) -> tuple[Standing, ...]:
    """Return how each draw stands; without `grants` all of them are unknown."""
    held = grants.grants if grants else ()
    found = ((draw, find_grant(draw.quota, held)) for draw in draws)
    return tuple(Standing(draw, grant.value if grant else None) for draw, grant in found)


def find_grant(line: QuotaLine, grants: Iterable[Grant]) -> Grant | None:
    """Return the grant that limits `line`: the most specific, and of those the first.

    `dimensionsInfos` of the Cloud Quotas API stand in that order
    (cloud.google.com/docs/quotas/reference/rest/v1/projects.locations.services.quotaInfos, 2026-11).
    """
    covering = [grant for grant in grants if grant.covers(line)]
    return min(covering, key=lambda grant: -len(grant.dimensions) - (grant.region is not None), default=None)


def keep_relevant(
    offered: Iterable[Grant],
    draws: Iterable[QuotaDraw],
    project: str,
    region: str,
    pulled: datetime,
    preferences: Iterable[Preference] | None = None,
) -> Grants:
    """Return of all that is granted what a stack in `region` can draw from, a grant for each such quota.

    Relevant are the quotas that the plan draws and those that the catalog knows, so that a new pool needs
    no new pull. A quota that nothing is known about is left out, and so is a preference for any other quota.
    """
    by_id: dict[str, list[Grant]] = {}
    for grant in offered:
        by_id.setdefault(grant.quota_id, []).append(grant)
    lines = {draw.quota for draw in draws} | _known_quotas(region)
    kept = {
        Grant(line.service, line.quota_id, line.region, line.dimensions, _normalise(found.value))
        for line in lines
        if (found := find_grant(line, by_id.get(line.quota_id, ())))
    }
    asked = None
    if preferences is not None:
        asked = tuple(sorted((each for each in preferences if any(map(each.is_for, lines))), key=_order))
    return Grants(project, pulled.replace(microsecond=0), tuple(sorted(kept, key=_order)), asked)


def parse_grants(content: bytes, file: str, project: str) -> Grants:
    """Return the grants that a file holds, for the stack whose `gcp:project` is `project`.

    Raises StackFileError with every problem: not JSON, unknown or missing keys, values out of range, the same
    quota twice, or grants of another project.
    """
    data = _read_json(content, file)
    try:
        parsed = _GrantsFile.model_validate(data)
    except ValidationError as error:
        problems = explain(error, data, _GrantsFile.model_json_schema())
        raise StackFileError([_with_remedy(problem) for problem in problems], file) from None
    if parsed.project != project:
        raise StackFileError(
            [
                Problem(
                    "project",
                    f"is not the stack's gcp:project, {project}; run `headroom quota pull`, or delete the "
                    "file until you can",
                )
            ],
            file,
        )
    pulled = datetime.strptime(parsed.pulled, _TIME).replace(tzinfo=UTC)
    asked = None if parsed.preferences is None else tuple(row.to_preference() for row in parsed.preferences)
    return Grants(parsed.project, pulled, tuple(row.to_grant() for row in parsed.grants), asked)


def render_grants(grants: Grants) -> str:
    """Return the file's text: sorted, a line for each grant and preference, the same for the same grants."""
    parts = [
        f'"project": "{grants.project}"',
        f'"pulled": "{grants.pulled.astimezone(UTC).strftime(_TIME)}"',
        f'"grants": {_render_rows(map(_row, sorted(grants.grants, key=_order)))}',
    ]
    if grants.preferences is not None:
        rows = map(_preference_row, sorted(grants.preferences, key=_order))
        parts.append(f'"preferences": {_render_rows(rows)}')
    return "{\n  " + ",\n  ".join(parts) + "\n}\n"


def _render_rows(rows: Iterable[Mapping[str, Any]]) -> str:
    text = ",\n".join(f"    {json.dumps(row)}" for row in rows)
    return f"[\n{text}\n  ]" if text else "[]"


_Amount = Annotated[int, Field(strict=True, ge=UNLIMITED, lt=2**63)]


class _QuotaRow(Section):
    service: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9.-]{0,126}$")] = Field(
        examples=["compute.googleapis.com"]
    )
    quota_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,126}$")] = Field(
        examples=["CPUS-per-project-region"]
    )
    region: Annotated[str, StringConstraints(pattern=r"^[a-z]+-[a-z]+[0-9]+$")] | None = Field(
        examples=["us-central1"]
    )
    dimensions: dict[str, str]


class _GrantRow(_QuotaRow):
    value: _Amount

    def to_grant(self) -> Grant:
        """Return the row as the rest of headroom knows it."""
        dimensions = tuple(sorted(self.dimensions.items()))
        return Grant(self.service, self.quota_id, self.region, dimensions, _normalise(self.value))


class _PreferenceRow(_QuotaRow):
    name: Annotated[str, StringConstraints(pattern=r"^[^/\s]{1,255}$")] = Field(
        examples=["dev-quota-n2-cpus-us-central1"]
    )
    preferred: _Amount
    granted: _Amount | None
    reconciling: Flag

    def to_preference(self) -> Preference:
        """Return the row as the rest of headroom knows it."""
        granted = None if self.granted is None else _normalise(self.granted)
        return Preference(
            self.name,
            self.service,
            self.quota_id,
            self.region,
            tuple(sorted(self.dimensions.items())),
            _normalise(self.preferred),
            granted,
            self.reconciling,
        )


class _GrantsFile(Section):
    project: ProjectId
    pulled: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")] = Field(
        examples=["2026-11-21T08:30:00Z"]
    )
    grants: tuple[_GrantRow, ...]
    preferences: tuple[_PreferenceRow, ...] | None = None

    @field_validator("pulled", mode="after")
    @classmethod
    def _is_a_time(cls, pulled: str) -> str:
        try:
            datetime.strptime(pulled, _TIME).replace(tzinfo=UTC)
        except ValueError:
            raise ValueError("is no time that there is") from None
        return pulled

    @model_validator(mode="after")
    def _distinct(self) -> "_GrantsFile":
        asked = [row.to_preference() for row in self.preferences or ()]
        for orders in ([_order(row.to_grant()) for row in self.grants], [_order(row) for row in asked]):
            for (_, quota_id, region, _), count in Counter(orders).items():
                if count > 1:
                    where = region or "all regions"
                    raise ValueError(f"the same quota stands there twice: {quota_id}, {where}")
        return self


def _read_json(content: bytes, file: str) -> Mapping[str, Any]:
    if len(content) > _LARGEST_FILE:
        raise StackFileError([_with_remedy(Problem("", f"is larger than {_LARGEST_FILE >> 20} MiB"))], file)
    try:
        data = json.loads(
            content.decode("utf-8"), object_pairs_hook=_without_repeats, parse_constant=_refuse_constant
        )
    except UnicodeDecodeError:
        reason = "is not text in UTF-8"
    except json.JSONDecodeError as error:
        reason = f"is not valid JSON, at line {error.lineno}, column {error.colno}"
    except RecursionError:
        reason = "is nested too deeply"
    except ValueError as error:
        reason = f"is not valid JSON: {error}" if str(error).startswith("it has") else "has a number too long"
    else:
        if isinstance(data, dict):
            return data
        reason = "must be a mapping of keys to values"
    raise StackFileError([_with_remedy(Problem("", reason))], file)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("it has the same key twice in one mapping")
    return dict(pairs)


def _refuse_constant(_: str) -> None:
    raise ValueError("it has a number that is none, such as NaN")


def _with_remedy(problem: Problem) -> Problem:
    return Problem(problem.path, f"{problem.message}; `headroom quota pull` writes the file anew")


def _normalise(value: int) -> int:
    return UNLIMITED if value >= _NO_LIMIT_FROM else value


def _order(item: Grant | Preference) -> tuple[str, str, str, tuple[tuple[str, str], ...]]:
    return item.service, item.quota_id, item.region or "", item.dimensions


def _row(grant: Grant) -> dict[str, Any]:
    return _quota_row(grant) | {"value": grant.value}


def _preference_row(preference: Preference) -> dict[str, Any]:
    return (
        {"name": preference.name}
        | _quota_row(preference)
        | {
            "preferred": preference.preferred,
            "granted": preference.granted,
            "reconciling": preference.reconciling,
        }
    )


def _quota_row(item: Grant | Preference) -> dict[str, Any]:
    return {
        "service": item.service,
        "quota_id": item.quota_id,
        "region": item.region,
        "dimensions": dict(item.dimensions),
    }


def _known_quotas(region: str) -> set[QuotaLine]:
    rows = (
        row
        for group in load_facts("quotas")
        for table in ("quotas", "disks", "local_ssds")
        for row in group.get(table, ())
        if "series" not in row
    )
    return {
        QuotaLine(
            row["quota"],
            None if row.get("scope") == "global" else region,
            tuple(sorted(parse_pairs(row.get("dimensions", "")).items())),
        )
        for row in rows
    }
