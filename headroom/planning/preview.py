"""What `pulumi preview --json` says would be done, without the values of any resource."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headroom.spec.errors import Problem, StackFileError

REPLACING = frozenset(("replace", "create-replacement", "delete-replaced"))
"""The steps of a replacement (pulumi sdk/go/common/display, StepOp)."""

_DELETING = frozenset(("delete",))
_SAME = frozenset(("same", "read", "refresh"))


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """A resource by its type and name in the program."""

    type: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} ({self.type})"


@dataclass(frozen=True, slots=True)
class PreviewSummary:
    """What an update of one stack would do."""

    stack: str
    counts: tuple[tuple[str, int], ...]
    """By operation, such as `create`."""
    replaced: tuple[Step, ...]
    deleted: tuple[Step, ...]
    others: tuple[tuple[str, Step], ...]
    """What is created or updated, with the operation."""
    errors: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Return whether anything would be done."""
        return bool(self.replaced or self.deleted or self.others)


def parse_preview(content: bytes, file: str) -> PreviewSummary:
    """Return what a file says that `pulumi preview --json` wrote. Raises StackFileError for any other."""
    try:
        data = json.loads(content)
        rows = [(str(row["op"]), str(row["urn"])) for row in data.get("steps", ())]
        steps = [(op, _read_urn(urn)) for op, urn in rows]
        stacks = {urn.split("::")[0].rpartition(":")[2] for _, urn in rows}
        errors = _errors(data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise StackFileError([_UNREADABLE], file) from None
    if len(stacks) != 1:
        raise StackFileError([_UNREADABLE], file)
    return PreviewSummary(
        stack=stacks.pop(),
        counts=tuple(sorted(Counter(op for op, _ in steps).items())),
        replaced=_those(steps, REPLACING),
        deleted=_those(steps, _DELETING),
        others=tuple(sorted({(op, step) for op, step in steps if op not in REPLACING | _DELETING | _SAME})),
        errors=errors,
    )


_UNREADABLE = Problem(
    "", "is not what `pulumi preview --json` writes of one stack; redirect its standard output to that file"
)


def _read_urn(urn: str) -> Step:
    parts = urn.split("::", 3)
    if len(parts) != 4 or not parts[0].startswith("urn:pulumi:"):
        raise ValueError(urn)
    return Step(parts[2].rpartition("$")[2], parts[3])


def _those(steps: list[tuple[str, Step]], operations: frozenset[str]) -> tuple[Step, ...]:
    return tuple(sorted({step for op, step in steps if op in operations}))


def _errors(data: Mapping[str, Any]) -> tuple[str, ...]:
    rows = data.get("diagnostics") or ()
    return tuple(str(row["message"]).strip() for row in rows if row.get("severity") == "error")
