"""`headroom advise`, as a user runs it."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

Headroom = Callable[..., CompletedProcess[str]]

MODELS = """
  headroom:models:
    assistant: {architecture: transformer, parameters: 8B, layers: 32, hidden: 4096, key_values: 1024}
    feed: {architecture: embedding, rows: 100M, dimension: 64, lookups_per_sample: 40}
    fraud: {architecture: trees, rows: 50M, features: 400}
    shelf: {architecture: convolutional, parameters: 88M, flops_per_sample: 31G, activations_per_sample: 700Mi}
  headroom:prices:
    a3-highgpu-8g: {hour: 60.5, spot: 20, flex_start: 40}
"""


@pytest.fixture
def described(project: Path) -> Path:
    """A project whose stack describes its models and states a price."""
    path = project / "Pulumi.dev.yaml"
    path.write_text(path.read_text() + MODELS)
    return project


def answer(done: CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_model_given_by_options_needs_no_project(
    headroom: Headroom, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Q6."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    done = headroom("advise", "--parameters", "8B", "--requests-per-second", "20", cwd=elsewhere)
    assert done.returncode == 0, done.stderr
    assert "transformer, 8,000,000,000 parameters: hardware for serving in us-central1" in done.stdout
    assert "\x1b[" not in done.stdout


def test_details_of_the_model_change_the_answer(headroom: Headroom) -> None:
    found = answer(
        headroom("advise", "--parameters", "8B", "--precision", "fp8", "--set", "layers=32", "--json")
    )
    assert found["need"]["fixed_bytes"] == 8e9
    assert found["need"]["estimated"] == ["hidden", "key_values"]


@pytest.mark.parametrize(
    ("pipeline", "options", "phase"),
    [
        ("assistant-serving", ("--tokens-per-second", "5000"), "serving"),
        ("assistant-training", ("--training", "1T", "--hours", "1000"), "training"),
        ("feed-training", ("--training", "1B"), "training"),
        ("shelf-serving", ("--requests-per-second", "500"), "serving"),
    ],
)
def test_a_pipeline_is_compared_with_its_pools(
    headroom: Headroom, described: Path, pipeline: str, options: tuple[str, ...], phase: str
) -> None:
    """Q6."""
    found = answer(headroom("advise", "-s", "dev", "-p", pipeline, *options, "--json"))
    assert found["phase"] == phase
    assert found["region"] == "us-central1"
    assert len(found["pools"]) == 1
    assert found["pools"][0]["today"]["rate"] > 0


def test_prices_of_the_stack_override_the_list(headroom: Headroom, described: Path) -> None:
    """Q6."""
    found = answer(headroom("advise", "-s", "dev", "-p", "assistant-training", "--training", "1T", "--json"))
    assert found["pools"][0]["today"]["costs"]["flex-start"]["hourly"] == pytest.approx(
        40 * found["pools"][0]["today"]["machines"]
    )
    h100 = next(option for option in found["options"] if option["machine"] == "a3-highgpu-8g")
    assert h100["costs"]["on-demand"]["hourly"] == pytest.approx(60.5 * h100["machines"])


def test_a_stack_without_a_pipeline_compares_all_its_accelerators(headroom: Headroom) -> None:
    found = answer(headroom("advise", "-s", "dev", "--parameters", "8B", "--json"))
    assert [pool["pool"] for pool in found["pools"]] == ["h100", "l4", "v5e", "v6e"]


def test_trees_are_advised_processors(headroom: Headroom, described: Path) -> None:
    """Q6."""
    done = headroom("advise", "-s", "dev", "-p", "fraud-training")
    assert done.returncode == 0, done.stderr
    assert "trees suit processors" in done.stdout
    assert "n2-standard-" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        ((), "--parameters: is required, such as --parameters 8B"),
        (("--parameters", "eight"), "the model: parameters: must be a number such as 8B"),
        (("--parameters", "8B", "--precision", "fp9"), "the model: precision: must be one of"),
        (("--parameters", "8B", "--set", "layer=32"), "did you mean layers?"),
        (("--parameters", "8B", "--set", "layers"), "--set: must be KEY=VALUE"),
        (("--architecture", "trees", "--set", "rows=5M"), "the model: features: is required"),
        (("--parameters", "8B", "--region", "us-middle1"), "--region: is no region of Google Cloud"),
        (
            ("--parameters", "8B", "--pipeline", "x"),
            "--pipeline: is one of a stack; name the stack with --stack",
        ),
        (("--parameters", "8B", "-s", "dev", "-p", "assistant-serbing"), "did you mean assistant-serving?"),
        (
            ("--parameters", "8B", "-s", "dev", "-p", "assistant-training"),
            "--training: is required, such as 1T",
        ),
        (("--parameters", "8B", "--hours", "5"), "--hours: is the deadline of a training"),
        (("--parameters", "8B", "--training", "lots"), "--training: must be a number such as 8B"),
        (("--parameters", "8B", "--training", "1T", "--requests-per-second", "1"), "give one of them"),
        (
            ("--parameters", "8B", "--tokens-per-second", "9", "--requests-per-second", "1"),
            "give one of them",
        ),
        (
            ("--parameters", "8B", "--answer", "9000"),
            "--context: is 8,192, less than prompt and answer together",
        ),
        (("--parameters", "8B", "--answer", "0", "--tokens-per-second", "1"), "--answer is 0"),
        (
            ("-a", "trees", "--set", "rows=5M", "--set", "features=9", "--requests-per-second", "1"),
            "nothing is published of how fast these serve",
        ),
        (("--parameters", "8B", "-s", "staging"), "the stacks here: dev, prod"),
    ],
)
def test_options_that_cannot_be_used_end_with_2_and_what_is_right(
    headroom: Headroom, arguments: tuple[str, ...], phrase: str
) -> None:
    done = headroom("advise", *arguments)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert phrase in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_the_options(headroom: Headroom) -> None:
    done = headroom("advise", "--help")
    assert done.returncode == 0
    for option in ("--parameters", "--precision", "--training", "--requests-per-second", "--stack", "--json"):
        assert option in done.stdout
