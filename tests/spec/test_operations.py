"""`headroom:operations`: an image by digest, and a job at least."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headroom.spec.errors import StackFileError
from headroom.spec.stack_file import parse_config

IMAGE = "us-central1-docker.pkg.dev/acme-ml/tools/headroom@sha256:" + "a1" * 32


@pytest.fixture
def problems(config: dict[str, Any]) -> Callable[..., list[str]]:
    def told(**section: Any) -> list[str]:
        with pytest.raises(StackFileError) as refusal:
            parse_config(config | {"headroom:operations": section}, "f")
        return [str(problem) for problem in refusal.value.problems]

    return told


def test_without_the_section_nothing_runs(config: dict[str, Any]) -> None:
    assert parse_config(config, "f").operations is None


def test_an_audit_has_a_schedule_by_itself(config: dict[str, Any]) -> None:
    """Q8: at any time, by a job too."""
    asked = parse_config(config | {"headroom:operations": {"image": IMAGE, "audit": {}}}, "f").operations
    assert asked is not None
    assert asked.audit is not None
    assert asked.audit.schedule == "23 5 * * *"


@pytest.mark.parametrize(
    "image", ["registry/headroom:v1", "registry/headroom", IMAGE[:-1], "headroom@sha256:" + 64 * "0"]
)
def test_an_image_by_anything_but_its_digest_is_refused(
    problems: Callable[..., list[str]], image: str
) -> None:
    (problem,) = problems(image=image, audit={})
    assert problem.startswith("headroom:operations.image: ")


def test_an_image_without_a_job_is_refused(problems: Callable[..., list[str]]) -> None:
    assert problems(image=IMAGE) == [
        "headroom:operations: names no job to run; add audit: {}, or leave the section out"
    ]


def test_a_schedule_that_is_none_is_told_with_its_key(problems: Callable[..., list[str]]) -> None:
    (problem,) = problems(image=IMAGE, audit={"schedule": "@daily"})
    assert problem.startswith("headroom:operations.audit.schedule: must be the five fields of cron")


def test_the_pattern_of_images_is_that_of_deliveries(root: Path) -> None:
    """Written once."""
    assert "pattern=" not in (root / "headroom" / "spec" / "operations.py").read_text()
