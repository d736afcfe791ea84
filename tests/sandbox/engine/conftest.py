"""A stand-in for the Pulumi CLI: a script that prints a version and records how it was called."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.engine.install import PulumiCli


@pytest.fixture
def make_cli() -> Callable[..., Path]:
    """Writes an executable `pulumi` that reports `version`, and beside it the files named."""

    def make(folder: Path, version: str = "v3.259.0", beside: tuple[str, ...] = ()) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "pulumi"
        path.write_text(f'#!/bin/sh\nif [ "$1" = version ]; then echo {version}; exit 0; fi\nexit 3\n')
        path.chmod(0o755)
        for name in beside:
            (folder / name).write_text("#!/bin/sh\n")
        return path

    return make


@pytest.fixture
def clean_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of one empty folder before the system's, and an empty cache folder; returns the PATH folder."""
    folder = tmp_path / "on-path"
    folder.mkdir()
    monkeypatch.setenv("PATH", os.pathsep.join([str(folder), "/usr/bin", "/bin"]))
    monkeypatch.setenv("HEADROOM_CACHE", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def built_cli(tmp_path: Path, make_cli: Callable[..., Path]) -> PulumiCli:
    """A CLI as the build leaves it."""
    path = make_cli(tmp_path / "built", beside=("pulumi-language-python-exec",))
    return PulumiCli(path, "3.259.0", "built", None, path.with_name("pulumi-language-python-exec"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a program, a subfolder of git and two stack files."""
    folder = tmp_path / "project"
    (folder / "infra").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / "Pulumi.yaml").write_text("name: small\nmain: infra\nruntime: python\n")
    (folder / "Pulumi.dev.yaml").write_text("config:\n  small:size: 1\n")
    (folder / "Pulumi.prod.yaml").write_text("config:\n  small:size: 9\n")
    return folder
