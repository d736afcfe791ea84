"""The plan as data: complete, and without what is secret."""

import json
from pathlib import Path

import pytest

from headroom.planning.plan import plan_config
from headroom.report.plan_json import render_json
from headroom.spec.stack_file import load_config


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_every_pool_pipeline_and_quota_is_in_it(root: Path, stack: str) -> None:
    plan = plan_config(load_config(root / f"Pulumi.{stack}.yaml"), stack, "f")
    data = json.loads(render_json(plan))
    assert [pool["name"] for pool in data["pools"]] == [pool.name for pool in plan.all_pools]
    assert [pipeline["name"] for pipeline in data["pipelines"]] == [p.name for p in plan.pipelines]
    for total in data["quota"]:
        key = (total["quota_id"], total["dimensions"])
        parts = [
            part["amount"] for part in data["pool_quota"] if (part["quota_id"], part["dimensions"]) == key
        ]
        assert sum(parts) == total["amount"] > 0


def test_references_to_secrets_are_not_in_it(root: Path) -> None:
    config = load_config(root / "Pulumi.prod.yaml")
    secret = "projects/123456789012/secrets/registry-ca/versions/3"
    config["headroom:cluster"]["private_registries"] = {"registry.acme.example": secret}
    text = render_json(plan_config(config, "prod", "f"))
    assert "registry.acme.example" in text
    assert "registry-ca" not in text
