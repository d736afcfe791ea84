"""Reads what an alert policy asks: which rule's query it is, and whose pipelines it is narrowed to."""

import re
from dataclasses import dataclass

from headroom.alerts.rules import ANY_ENVIRONMENT

_ENVIRONMENT = re.compile(r'\benvironment="([^"]*)"')
_NUMBER = re.compile(r"(?<![\w.])\d+(\.\d+)?(?![\w.])")
_OWNERS = (
    r"max by \(environment, pipeline\) "
    r'\(last_over_time\(ml_pipeline_info\{owner=(?P<whose>~?"[^"]*")\}\[\w+\]\)\)'
)
_HERE = r'label_replace\(vector\(1\), "environment", "(?P<here>[^"]*)", "", ""\)'
_NARROWED = re.compile(
    rf"\(\n(?P<inner>.*)\)\n(?P<operator>and|unless) on \(environment(, pipeline)?\) ({_OWNERS}|{_HERE})\n",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class ReadQuery:
    """A query without its thresholds, and what it was narrowed to."""

    rule: str
    only: tuple[str, ...] = ()
    """Owners whose pipelines alone it is for; none: it is for everybody's."""
    left_out: tuple[str, ...] = ()
    environment: str = ""
    """The one whose series alone it looks at; empty: it looks at all."""


def read_query(query: str) -> ReadQuery:
    """Return what a query asks, as `planning.owner_alerts` and staging narrow it."""
    found = _NARROWED.fullmatch(query)
    if found is None:
        here = dict.fromkeys(_ENVIRONMENT.findall(query))
        general = _ENVIRONMENT.sub(ANY_ENVIRONMENT, query)
        return ReadQuery(_NUMBER.sub("0", general).strip(), environment=", ".join(here))
    inner = read_query(found["inner"])
    if found["here"] is not None:
        return ReadQuery(inner.rule, inner.only, inner.left_out, found["here"])
    owners = _read_owners(found["whose"])
    if found["operator"] == "and":
        return ReadQuery(inner.rule, (*inner.only, *owners), inner.left_out, inner.environment)
    return ReadQuery(inner.rule, inner.only, (*inner.left_out, *owners), inner.environment)


def _read_owners(text: str) -> tuple[str, ...]:
    """Return the owners of a matcher: one, or with ~ several, in which what has a meaning is in brackets."""
    if not text.startswith("~"):
        return (text.strip('"'),)
    return tuple(re.sub(r"\[(.)\]", r"\1", text.strip('~"')).split("|"))
