"""What the imitated cloud holds, as tables."""

from typing import Any

from rich.console import Console

from headroom.report.tables import Column, make_console, make_table, print_table


def print_world(content: dict[str, Any]) -> None:
    """Print objects, quotas, faults and pace to standard output."""
    console = make_console()
    objects = make_table("Objects", ("type", "status", "id"), wrapped=("id",))
    for item in content["objects"]:
        objects.add_row(_short(item["type"]), item["status"], item["id"])
    console.print(objects)
    if content["cluster_objects"]:
        inside = make_table("In the clusters", ("type", "id"), wrapped=("id",))
        for item in content["cluster_objects"]:
            inside.add_row(item["type"], item["id"])
        console.print(inside)
    columns = (
        Column("quota"),
        Column("project", below=1),
        Column("drawn", right=True),
        Column("limit", right=True),
    )
    rows = [
        (each["name"], each["project"], f"{each['drawn']:g}", f"{each['limit']:g}")
        for each in content["quotas"]
    ]
    print_table(console, "Quotas", columns, rows)
    console.print()
    if content["faults"]:
        _print_faults(console, content["faults"])
    console.print(f"pace: seed {content['pace']['seed']}, scale {content['pace']['scale']:g}")


def _print_faults(console: Console, faults: list[dict[str, Any]]) -> None:
    columns = (
        *(Column(heading) for heading in ("kind", "operation", "type")),
        *(Column(heading, right=True) for heading in ("rate", "at", "remaining")),
    )
    rows = [
        (
            each["kind"],
            each["operation"],
            each["type"],
            f"{each['rate']:g}",
            str(each["at"]),
            "no end" if each["remaining"] < 0 else str(each["remaining"]),
        )
        for each in faults
    ]
    print_table(console, "Faults that can strike", columns, rows)
    console.print()


def _short(token: str) -> str:
    """`container NodePool` for `gcp:container/nodePool:NodePool`."""
    return f"{token.split(':')[1].split('/')[0]} {token.rpartition(':')[2]}" if ":" in token else token
