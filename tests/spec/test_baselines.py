"""Q4: baselines.yaml, which the stacks of a project share."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from headroom.spec.errors import StackFileError
from headroom.spec.stack_file import add_baselines, load_config, parse_config

ROW = {
    "kind": "data",
    "measured": "2026-06-30",
    "by": "the team",
    "source": "its records",
    "runs_per_day": 12,
    "hours": 2,
    "cpu": 8,
    "memory": "32Gi",
}
DEVICES = {"cpu": None, "memory": None, "accelerator": "nvidia-l4", "devices": 4}


def changed(change: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in (ROW | change).items() if value is not None}


def write(folder: Path, baselines: object) -> Path:
    (folder / "baselines.yaml").write_text(yaml.safe_dump(baselines))
    return folder


def test_the_stacks_of_a_project_share_its_baselines(tmp_path: Path, config: dict[str, Any]) -> None:
    write(tmp_path, {"clicks": ROW})
    path = tmp_path / "Pulumi.test.yaml"
    path.write_text(yaml.safe_dump({"config": config}))
    baseline = parse_config(load_config(path), "f").baselines["clicks"]
    assert (baseline.cpu, baseline.hours, str(baseline.measured)) == (8_000, 2, "2026-06-30")


def test_the_baselines_of_a_stack_come_before_those_of_the_project(tmp_path: Path) -> None:
    write(tmp_path, {"clicks": ROW, "views": ROW})
    own = {"headroom:baselines": {"clicks": ROW | {"hours": 7}}}
    found = add_baselines(own, tmp_path)["headroom:baselines"]
    assert (found["clicks"]["hours"], found["views"]["hours"]) == (7, 2)


def test_a_project_may_have_none(tmp_path: Path, config: dict[str, Any]) -> None:
    assert add_baselines(config, tmp_path) == config


@pytest.mark.parametrize(
    ("baselines", "expected"),
    [
        ({"clicks": changed({"by": None})}, "clicks.by: is required"),
        ({"clicks": changed({"measured": None})}, "clicks.measured: is required"),
        ({"clicks": changed({"measured": "June"})}, "clicks.measured: must be a day such as 2026-06-30"),
        ({"clicks": changed({"measured": 20260630})}, "clicks.measured: must be a day such as 2026-06-30"),
        ({"clicks": changed({"kind": "serving"})}, "clicks.kind: must be one of data, training, validation"),
        ({"clicks": changed({"memory": None})}, "clicks: needs cpu and memory, or an accelerator and devices"),
        ({"clicks": changed({"devices": 4})}, "clicks: counts devices and names no accelerator; name it"),
        ({"clicks": changed(DEVICES | {"devices": None})}, "clicks: names an accelerator and no devices"),
        ({"clicks": changed(DEVICES | {"accelerator": "nvidia-l5"})}, "clicks.accelerator: is no accelerator that headroom knows; did you mean nvidia-l4?"),
        ({"clicks": changed({"size": 5})}, "clicks: size and unit go together; give both or none"),
        ({"clicks": changed({"hour": 5})}, "clicks.hour: is no key of this section; did you mean hours?"),
        ({"Clicks": ROW}, "Clicks: is no valid name"),
        ([1], "must be a mapping"),
        (None, "must be a mapping"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_the_file_and_the_key(
    tmp_path: Path, baselines: object, expected: str
) -> None:
    with pytest.raises(StackFileError) as refusal:
        add_baselines({}, write(tmp_path, baselines))
    assert str(refusal.value).startswith(f"baselines.yaml: {expected}")


def test_the_committed_baselines_are_sound(root: Path) -> None:
    assert len(add_baselines({}, root)["headroom:baselines"]) >= 4
