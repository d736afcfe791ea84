"""The image of the platform's own jobs: what it is built from is there, pinned, and runs as nobody."""

import re
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "Dockerfile").read_text()
STEPS = [line for line in re.sub(r"\\\n\s*", "", TEXT).splitlines() if line and not line.startswith("#")]
IGNORED = (ROOT / ".dockerignore").read_text().splitlines()
PINS = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)


def steps(name: str) -> list[str]:
    return [step.removeprefix(f"{name} ") for step in STEPS if step.startswith(f"{name} ")]


def copied() -> list[str]:
    """Paths of the project that the image is built from."""
    return [path for step in steps("COPY") if not step.startswith("--from") for path in step.split()[:-1]]


def test_both_stages_are_of_one_base_by_its_digest() -> None:
    bases = {step.split()[0] for step in steps("FROM")}
    assert len(steps("FROM")) == 2
    (base,) = bases
    assert re.fullmatch(r"python:3\.11-slim-bookworm@sha256:[0-9a-f]{64}", base)


def test_what_is_copied_is_there_and_let_through() -> None:
    for path in copied():
        assert (ROOT / path).exists(), path
        assert f"!{path}" in IGNORED, path


def test_nothing_else_is_let_through() -> None:
    """Neither state nor stack files nor what lies about comes into an image."""
    assert IGNORED[:2] == [IGNORED[0], "*"]
    assert IGNORED[0].startswith("#")
    assert {line[1:] for line in IGNORED if line.startswith("!")} == set(copied())
    assert "bootstrap/Pulumi.*.yaml" in IGNORED
    assert not [line for line in STEPS if line.startswith(("ADD ", "ARG "))]


def test_everything_installed_is_pinned_by_hash() -> None:
    installs = [part for step in steps("RUN") for part in step.split("&&") if "pip install" in part]
    assert len(installs) == 3
    for install in installs:
        assert "--require-hashes -r requirements-" in install or install.split()[-3:] == [
            "--no-deps", "--no-build-isolation", ".",
        ]  # fmt: skip


def test_what_is_pinned_for_the_image_is_what_is_tested_with() -> None:
    live, dev = (
        dict(PINS.findall((ROOT / f"requirements-{name}.txt").read_text())) for name in ("live", "dev")
    )
    assert {name: pin for name, pin in live.items() if dev.get(name) != pin} == {}
    assert {"google-cloud-quotas", "google-cloud-storage", "kubernetes"} <= set(live)
    assert not {"pytest", "hypothesis", "ruff"} & set(live)


def test_it_runs_the_command_as_nobody_who_is_the_jobs_user() -> None:
    import yaml

    assert steps("ENTRYPOINT") == ['["headroom"]']
    assert "headroom" in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    (user,) = steps("USER")
    cron = list(yaml.safe_load_all((ROOT / "infra/manifests/operations/job.yaml").read_text()))[-1]
    context = cron["spec"]["jobTemplate"]["spec"]["template"]["spec"]["securityContext"]
    assert user == f"{context['runAsUser']}:{context['runAsGroup']}"
    assert context["runAsUser"] != 0
    assert STEPS.index(f"USER {user}") > max(
        index for index, step in enumerate(STEPS) if step.startswith(("RUN", "COPY"))
    )


def test_it_has_no_secrets() -> None:
    assert not re.search(r"(?i)secret|token|password|credential", TEXT)


@pytest.mark.slow
def test_the_package_that_is_installed_has_the_data_that_the_command_reads(tmp_path: Path) -> None:
    from hatchling.builders.wheel import WheelBuilder

    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"][
        "wheel"
    ]
    assert set(packages["packages"]) <= set(copied())
    for pattern in (
        "headroom/catalog/data/*.yaml",
        "headroom/report/templates/*",
        "headroom/alerts/**/*.yaml",
    ):
        for path in ROOT.glob(pattern):
            assert str(path.relative_to(ROOT)) in held
