"""A platform as text says what it was made of, but for what may be encrypted."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from headroom.spec.stack_file import load_config, parse_config
from headroom.spec.stack_text import render_stack_file
from tests.planning.strategies import pools

ROOT = Path(__file__).resolve().parents[2]
FILES = [*sorted(ROOT.glob("Pulumi.*.yaml")), ROOT / "tests" / "e2e" / "stacks" / "one-of-each.yaml"]
SECRET = "projects/123456789012/secrets/ca/versions/1"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_stack_file_read_again_is_the_same_platform(path: Path, tmp_path: Path) -> None:
    """Q8: a job audits what was deployed."""
    platform = parse_config(load_config(path), path.name)
    written = tmp_path / "Pulumi.again.yaml"
    written.write_text(render_stack_file(platform))
    assert parse_config(load_config(written), "again") == platform


@settings(max_examples=60)
@given(pools())
def test_a_pool_of_any_kind_read_again_is_the_same(drawn: tuple[str, dict[str, Any]]) -> None:
    region, pool = drawn
    config = {
        "gcp:project": "acme-ml-test",
        "gcp:region": region,
        "headroom:environment": {"tier": "development"},
        "headroom:cluster": {"zones": [pool["zones"][0]]},
        "headroom:pools": {"p": pool},
    }
    platform = parse_config(config, "f")
    assert parse_config(yaml.safe_load(render_stack_file(platform))["config"], "f") == platform


def test_amounts_are_said_as_in_a_stack_file(config: dict[str, Any]) -> None:
    limits = {
        "cpu": {"cpu": {"guarantee": 0.25, "cap": "2500m"}, "memory": {"guarantee": "1Gi", "cap": "1536Mi"}}
    }
    config["headroom:pipelines"] = {
        "d": {"kind": "data", "model": "m", "owner": "user:a@b.co", "limits": limits}
    }
    text = render_stack_file(parse_config(config, "f"))
    said = yaml.safe_load(text)["config"]["headroom:pipelines"]["d"]["limits"]["cpu"]
    assert said == {
        "cpu": {"guarantee": "0.25", "cap": "2.5"},
        "memory": {"guarantee": "1Gi", "cap": "1536Mi"},
    }


def test_references_to_certificates_are_left_out(config: dict[str, Any]) -> None:
    config["headroom:cluster"]["private_registries"] = {"registry.acme.example": SECRET}
    text = render_stack_file(parse_config(config, "f"))
    assert "registr" not in text
    assert "**" not in text
