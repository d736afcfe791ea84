"""Audits over time: one JSON line for each, and what differs between two."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from headroom.spec.errors import Problem, StackFileError

if TYPE_CHECKING:
    from headroom.audit.report import Audit

VERSION: Final = 1
_UNITS: Final = {"h": "hours", "d": "days", "w": "weeks"}
_QUOTA_FIELDS: Final = ("granted", "promised", "provisioned", "peak")
_HOLDING_FIELDS: Final = ("guarantee", "cap", "peak")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a history."""

    at: datetime
    stack: str
    findings: tuple[tuple[str, str, str], ...]
    """Code, subject and severity of each."""
    figures: Mapping[str, Mapping[str, float | None]]
    """Of each quota, and of each pipeline's resource of a pool, the figures that are compared."""


@dataclass(frozen=True, slots=True)
class Move:
    """A figure that differs; None: it is not known, or not there."""

    subject: str
    figure: str
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """What differs from an audit before: findings by code and subject, and figures."""

    since: datetime
    appeared: tuple[tuple[str, str], ...]
    gone: tuple[tuple[str, str], ...]
    moves: tuple[Move, ...]


def note(audit: "Audit") -> Entry:
    """Return what a history keeps of an audit."""
    figures: dict[str, dict[str, float | None]] = {
        f"{row.label}@{row.quota.region or 'all regions'}": {
            field: getattr(row, field) for field in _QUOTA_FIELDS
        }
        for row in audit.quotas
    }
    for pool in audit.pools:
        for held in pool.holdings:
            values = {field: getattr(held, field) for field in _HOLDING_FIELDS}
            figures[f"{held.name}/{pool.pool}/{pool.resource}"] = values
    found = tuple((each.code, each.subject, each.severity) for each in audit.findings)
    return Entry(audit.at, audit.stack, found, figures)


def render_entry(entry: Entry) -> str:
    """Return the entry as one line of JSON."""
    content = {
        "version": VERSION,
        "at": entry.at.astimezone(UTC).isoformat(timespec="seconds"),
        "stack": entry.stack,
        "findings": [list(each) for each in entry.findings],
        "figures": entry.figures,
    }
    return json.dumps(content, separators=(",", ":"), allow_nan=False)


def parse_history(text: str, file: str) -> tuple[Entry, ...]:
    """Return the entries of a history. Raises StackFileError, with each line that is none."""
    entries, problems = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            entries.append(_parse(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            fix = "is no entry of an audit of this version; remove the line"
            problems.append(Problem(f"line {number}", fix))
    if problems:
        raise StackFileError(problems, file)
    return tuple(entries)


def _parse(content: Any) -> Entry:
    if content["version"] != VERSION:
        raise ValueError("another version")
    at = datetime.fromisoformat(content["at"])
    findings = tuple(
        (str(code), str(subject), str(severity)) for code, subject, severity in content["findings"]
    )
    figures = {
        str(key): {str(field): None if value is None else float(value) for field, value in row.items()}
        for key, row in content["figures"].items()
    }
    return Entry(at if at.tzinfo else at.replace(tzinfo=UTC), str(content["stack"]), findings, figures)


def find_entry(entries: Iterable[Entry], stack: str, since: str, now: datetime) -> Entry | None:
    """Return the entry of `stack` that `since` means: `last`, a span such as `7d` or `12h`, or a time.

    Of a span or a time the latest entry is meant that is as old, None where there is none. Raises ValueError
    for what is none of these.
    """
    own = {each.at: each for each in sorted(entries, key=lambda each: each.at) if each.stack == stack}
    at = find_time(own, since, now)
    return None if at is None else own[at]


def find_time(times: Iterable[datetime], since: str, now: datetime) -> datetime | None:
    """Return which of `times` it is that `since` means, as `find_entry` takes it. Raises ValueError."""
    latest = now if since == "last" else _moment(since, now)
    return max((each for each in times if each <= latest), default=None)


def compare(before: Entry, after: Entry) -> Change:
    """Return what differs between two audits."""
    old, new = ({(code, subject) for code, subject, _ in each.findings} for each in (before, after))
    return Change(before.at, tuple(sorted(new - old)), tuple(sorted(old - new)), tuple(_moves(before, after)))


def _moves(before: Entry, after: Entry) -> Iterator[Move]:
    for subject in sorted(before.figures.keys() | after.figures.keys()):
        old, new = before.figures.get(subject, {}), after.figures.get(subject, {})
        for figure in dict.fromkeys((*old, *new)):
            if old.get(figure) != new.get(figure):
                yield Move(subject, figure, old.get(figure), new.get(figure))


def _moment(since: str, now: datetime) -> datetime:
    if since[:-1].isdecimal() and since[-1:] in _UNITS:
        try:
            return now - timedelta(**{_UNITS[since[-1]]: int(since[:-1])})
        except (OverflowError, ValueError):
            raise ValueError("is a span that begins before the year 1") from None
    try:
        found = datetime.fromisoformat(since)
    except ValueError:
        raise ValueError("must be last, a span such as 7d or 12h, or a time such as 2026-11-01") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
