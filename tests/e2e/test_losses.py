"""What a real preview says of deletions and replacements is read, and refused."""

import json
from collections.abc import Callable
from typing import Any

from policies.judgement import judge_steps
from policies.registry import RULES
from policies.replacements import read_steps
from policies.settings import Settings
from tests.e2e.conftest import EngineSandbox

PROGRAM = """
import pulumi
import pulumi_gcp as gcp
provider = gcp.Provider("google", project="acme-ml-dev", region="us-central1")
def bucket(name, place, **options):
    gcp.storage.Bucket(
        name, name=f"acme-{name}", location=place, opts=pulumi.ResourceOptions(provider=provider, **options)
    )
bucket("models", "us-central1")
bucket("logs", "us-central1", retain_on_delete=True)
"""


def found(sandbox: EngineSandbox) -> list[str]:
    report: dict[str, Any] = sandbox.preview("dev").require_success().report
    steps = read_steps(json.dumps(report).encode(), "preview.json")
    return [str(verdict.finding) for verdict in judge_steps(steps, Settings(), RULES)]


def test_what_a_preview_would_delete_or_replace_is_refused(
    make_project: Callable[..., EngineSandbox],
) -> None:
    """Job 2: the steps are those that the engine writes, not those that we think it does."""
    sandbox = make_project(PROGRAM, dev="config: {}\n")
    assert found(sandbox) == []
    sandbox.up("dev").require_success()
    assert found(sandbox) == []
    program = sandbox.project / "infra" / "__main__.py"
    program.write_text(PROGRAM.replace('"models", "us-central1"', '"models", "us-east1"'))
    (text,) = found(sandbox)
    assert text.startswith("models: is replaced because of location: what is in it is gone")
    program.write_text(PROGRAM.split('bucket("models"')[0])
    (text,) = found(sandbox)
    assert text.startswith("models: is deleted: what is in it is gone")
