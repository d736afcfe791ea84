"""The least that registers the same resources: one flat program, no components, no dependencies, no plan.

Stands as `infra/__main__.py` of a project of its own, beside `resources.json`, which `recording` wrote.
"""

import asyncio
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pulumi
import pulumi_gcp as gcp


def _register(row: dict[str, Any], options: pulumi.ResourceOptions) -> pulumi.Resource:
    kind, place, name = row["token"].split(":")
    if kind != "gcp":
        return pulumi.ComponentResource(row["token"], row["name"])
    module = import_module(f"pulumi_gcp.{place.split('/')[0]}")
    return getattr(module, name)(row["name"], **row["arguments"], opts=options)


async def _main() -> None:
    rows = json.loads((Path(__file__).parent / "resources.json").read_text(encoding="utf-8"))
    settings = next(row for row in rows if row["token"] == "pulumi:providers:gcp")
    options = pulumi.ResourceOptions(provider=gcp.Provider(settings["name"], **settings["arguments"]))
    resources = [_register(row, options) for row in rows if row is not settings]
    await asyncio.gather(*(resource.urn.future() for resource in resources))


pulumi.run(_main)
