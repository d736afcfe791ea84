"""What the imitated cloud holds, as tables."""

from typing import Any

from headroom.report.tables import make_console, make_table


def print_world(content: dict[str, Any]) -> None:
    """Print objects, quotas, faults and pace to standard output."""
    console = make_console()
    objects = make_table("Objects", ("type", "status", "id"), wrapped=("id",))
    for item in content["objects"]:
        objects.add_row(_short(item["type"]), item["status"], item["id"])
    console.print(objects)
    quotas = make_table("Quotas", ("quota", "project"), ("drawn", "limit"))
    for each in content["quotas"]:
        quotas.add_row(each["name"], each["project"], f"{each['drawn']:g}", f"{each['limit']:g}")
    console.print(quotas)
    if content["faults"]:
        faults = make_table(
            "Faults that can strike", ("kind", "operation", "type"), ("rate", "at", "remaining")
        )
        for each in content["faults"]:
            remaining = "no end" if each["remaining"] < 0 else str(each["remaining"])
            faults.add_row(
                each["kind"], each["operation"], each["type"], f"{each['rate']:g}", str(each["at"]), remaining
            )
        console.print(faults)
    console.print(f"pace: seed {content['pace']['seed']}, scale {content['pace']['scale']:g}")


def _short(token: str) -> str:
    """`container NodePool` for `gcp:container/nodePool:NodePool`."""
    return f"{token.split(':')[1].split('/')[0]} {token.rpartition(':')[2]}" if ":" in token else token
