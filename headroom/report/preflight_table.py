"""The result of a preflight, for people and for jobs."""

import json
from collections import Counter
from collections.abc import Sequence

from headroom.planning.preflight import Check, exit_code

_STYLES = {"ok": "green", "missing": "bold red", "unknown": "yellow"}


def render_preflight(
    stack: str, project: str, checks: Sequence[Check], example_addresses: Sequence[str]
) -> str:
    """Return the result as JSON text."""
    result = {
        "stack": stack,
        "project": project,
        "exit_code": exit_code(checks),
        "counts": {state: _count(checks)[state] for state in _STYLES},
        "checks": [
            {
                "area": check.area,
                "subject": check.subject,
                "state": check.state,
                "detail": check.detail,
                "remedy": check.remedy or None,
            }
            for check in checks
        ],
        "example_addresses": list(example_addresses),
    }
    return json.dumps(result, indent=2)


def print_preflight(
    stack: str, project: str, checks: Sequence[Check], example_addresses: Sequence[str]
) -> None:
    """Print the result to standard output: every check, then the commands that mend, each once."""
    from rich.markup import escape

    from headroom.report.tables import make_console, make_table

    console = make_console()
    table = make_table("", ("area", "", "what", "answer"), wrapped=("what", "answer"))
    area = ""
    for check in checks:
        style = _STYLES[check.state]
        state = f"[{style}]{check.state}[/{style}]"
        shown = check.area if check.area != area else ""
        table.add_row(shown, state, escape(check.subject), escape(check.detail))
        area = check.area
    console.print(f"[bold]{stack}[/bold]: is {project} ready for `pulumi up`?\n")
    console.print(table)
    for line in _conclude(checks, example_addresses):
        console.print(line, soft_wrap=True, markup=False)


def _conclude(checks: Sequence[Check], example_addresses: Sequence[str]) -> list[str]:
    lines = []
    if example_addresses:
        lines += [f"\nnever asked for, since nobody can own their domains: {', '.join(example_addresses)}"]
    mending = _remedies(checks, "missing")
    learning = [
        remedy
        for remedy in _remedies(checks, "unknown")
        if not any(set(remedy.split()) <= set(other.split()) for other in mending)
    ]
    for heading, remedies in (
        ("To mend what is missing:", mending),
        ("To learn what is unknown:", learning),
    ):
        if remedies:
            lines += [f"\n{heading}", *(f"  {remedy}" for remedy in remedies)]
    counts = _count(checks)
    lines.append(f"\n{counts['ok']} ok, {counts['missing']} missing, {counts['unknown']} unknown")
    return lines


def _remedies(checks: Sequence[Check], state: str) -> list[str]:
    found = (check.remedy for check in checks if check.state == state and check.remedy)
    return list(dict.fromkeys(found))


def _count(checks: Sequence[Check]) -> Counter[str]:
    return Counter(check.state for check in checks)
