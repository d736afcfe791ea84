"""What was promised when it was last accepted: the quota of each queue, as committed data.

A change is compared with `quotas/<stack>.promises.json`, so that headroom and guarantees are not taken bit by
bit or unseen. Amounts are in Kubernetes notation: thousandths of a core, binary units, whole devices.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError, model_validator

from headroom.planning.queues import QueuesPlan
from headroom.spec.base import Section
from headroom.spec.errors import Problem, StackFileError
from headroom.spec.explain import explain
from headroom.spec.quantities import parse_quantity

_LARGEST_FILE = 8 * 2**20


@dataclass(frozen=True, slots=True, order=True)
class Promise:
    """What one queue was promised of one resource of a flavor."""

    queue: str
    flavor: str
    resource: str
    """As pods call it, such as `nvidia.com/gpu`."""
    amount: str


def list_promises(queues: QueuesPlan) -> tuple[Promise, ...]:
    """Return what the queues are promised; what they are promised nothing of is left out."""
    return tuple(
        sorted(
            Promise(queue.name, flavor.flavor, quota.resource, quota.nominal)
            for queue in queues.queues
            for flavor in queue.flavors
            for quota in flavor.quotas
            if quota.nominal != "0"
        )
    )


def find_cuts(before: Iterable[Promise], after: Iterable[Promise]) -> tuple[tuple[Promise, str], ...]:
    """Return the promises that get smaller, each with the amount that is left of it, `0` where nothing is."""
    left = {(each.queue, each.flavor, each.resource): each.amount for each in after}
    pairs = ((each, left.get((each.queue, each.flavor, each.resource), "0")) for each in sorted(before))
    return tuple(
        (each, amount) for each, amount in pairs if parse_quantity(amount) < parse_quantity(each.amount)
    )


def render_promises(promises: Iterable[Promise]) -> str:
    """Return the file's text: sorted, a line for each promise, the same for the same promises."""
    rows = (
        {"queue": each.queue, "flavor": each.flavor, "resource": each.resource, "amount": each.amount}
        for each in sorted(promises)
    )
    lines = ",\n".join(f"    {json.dumps(row)}" for row in rows)
    return '{\n  "promises": [\n' + lines + "\n  ]\n}\n"


def parse_promises(content: bytes, file: str) -> tuple[Promise, ...]:
    """Return the promises that a file holds. Raises StackFileError with every problem."""
    data = _read_json(content, file)
    try:
        parsed = _PromisesFile.model_validate(data)
    except ValidationError as error:
        problems = explain(error, data, _PromisesFile.model_json_schema())
        raise StackFileError([_with_remedy(problem) for problem in problems], file) from None
    return tuple(sorted(row.to_promise() for row in parsed.promises))


_Name = Annotated[str, StringConstraints(min_length=1, max_length=253)]


class _PromiseRow(Section):
    queue: _Name
    flavor: _Name
    resource: _Name
    amount: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18}(\.[0-9]{1,9})?(m|[KMGTP]i)?$")] = Field(
        examples=["16", "64Gi"]
    )

    def to_promise(self) -> Promise:
        """Return the row as the rest of headroom knows it."""
        return Promise(self.queue, self.flavor, self.resource, self.amount)


class _PromisesFile(Section):
    promises: tuple[_PromiseRow, ...]

    @model_validator(mode="after")
    def _distinct(self) -> "_PromisesFile":
        seen: set[tuple[str, str, str]] = set()
        for row in self.promises:
            if (key := (row.queue, row.flavor, row.resource)) in seen:
                raise ValueError(f"the same promise stands there twice: {', '.join(key)}")
            seen.add(key)
        return self


def _read_json(content: bytes, file: str) -> Mapping[str, Any]:
    if len(content) > _LARGEST_FILE:
        raise StackFileError([_with_remedy(Problem("", f"is larger than {_LARGEST_FILE >> 20} MiB"))], file)
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise StackFileError([_with_remedy(Problem("", "is not valid JSON"))], file) from None
    if not isinstance(data, dict):
        raise StackFileError([_with_remedy(Problem("", "must be a mapping of keys to values"))], file)
    return data


def _with_remedy(problem: Problem) -> Problem:
    return Problem(problem.path, f"{problem.message}; `headroom quota accept` writes the file anew")
