"""How far releases are, and who approved their own, for people and for jobs."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape

from headroom.delivery.approvals import SelfApproval, Step
from headroom.delivery.progress import Standing
from headroom.report.tables import Column, print_table


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was asked for, or would be; `state` is the rollout's afterwards, empty where unknown."""

    step: Step
    sent: bool
    state: str


def print_standings(console: Console, pipeline: str, standings: Sequence[Standing]) -> None:
    """Print where each release stands, and below the table the commands of those who have to act."""
    if not standings:
        console.print(f"{pipeline}: nothing has been released yet", soft_wrap=True)
        return
    headings = ("release", "stage", "phase", "state", "waits for")
    rows = [
        tuple(map(escape, (each.release, each.stage, each.phase, each.state, each.waits_for)))
        for each in standings
    ]
    print_table(console, f"Releases of {pipeline}", [Column(heading) for heading in headings], rows)
    for each in standings:
        if each.command:
            console.print(f"{each.release}, next:\n{each.command}", soft_wrap=True, markup=False)


def describe_standings(standings: Iterable[Standing], frozen: Iterable[str]) -> str:
    """Return the same as JSON, with the freezes that hold now."""
    data = {"releases": [asdict(each) for each in standings], "frozen": list(frozen)}
    return json.dumps(data, indent=2)


def describe_step(taken: Taken) -> str:
    """Return as JSON what was asked, or would be."""
    return json.dumps(_describe_taken(taken), indent=2)


def describe_steps(taken: Iterable[Taken]) -> str:
    """Return as JSON what was asked, or would be, in each region."""
    return json.dumps([_describe_taken(each) for each in taken], indent=2)


def _describe_taken(taken: Taken) -> dict[str, Any]:
    step = taken.step
    data: dict[str, Any] = {"does": step.does, "request": asdict(step.request), "sent": taken.sent}
    return data | {"rollout": step.rollout, "state": taken.state, "warnings": step.warnings}


def describe_returns(steps: Iterable[Step], left: Iterable[str], *, sent: bool) -> str:
    """Return as JSON which rollbacks were approved, or would be, and the names of those left to people."""
    rows = [{"rollout": step.rollout, "request": asdict(step.request), "sent": sent} for step in steps]
    return json.dumps({"approved": rows, "left_to_people": list(left)}, indent=2)


def say_self_approval(found: SelfApproval) -> str:
    """Return a line about an approval that may be of one's own release."""
    act = found.act
    if found.certain:
        return f"{act.when}: {act.who} approved {act.release}, which {act.who} had released"
    return f"{act.when}: {act.who or 'somebody'} approved {act.release}, and who released that is unknown"


def describe_self_approvals(found: Iterable[SelfApproval]) -> str:
    """Return the same as JSON."""
    return json.dumps([asdict(each.act) | {"certain": each.certain} for each in found], indent=2)
