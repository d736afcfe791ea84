"""Runs the `headroom` command as a user would, in a project of its own."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def project(tmp_path: Path, root: Path) -> Path:
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml", "baselines.yaml"):
        shutil.copy(root / name, tmp_path)
    if (root / "quotas").is_dir():
        shutil.copytree(root / "quotas", tmp_path / "quotas")
    return tmp_path


@pytest.fixture
def headroom(project: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    command = Path(sys.executable).with_name("headroom")

    def run(*arguments: str, cwd: Path = project) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [command, *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=60
        )

    return run
