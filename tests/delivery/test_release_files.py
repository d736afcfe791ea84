"""D3: releases as files: whole, the same each time, and compared with what the stack file says now."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from headroom.delivery.release_files import (
    compare_release,
    read_model,
    render_release,
    render_server_file,
    write_release,
)
from headroom.delivery.releases import ReleasePlan
from headroom.planning.plan import Plan
from headroom.spec.errors import StackFileError
from headroom.spec.server import load_server
from tests.delivery.conftest import release_of

FILES = {"skaffold.yaml", "requests.yaml", "staging.yaml", "canary.yaml", "stable.yaml"}


@pytest.fixture
def folder(feed: ReleasePlan, tmp_path: Path) -> Path:
    write_release(tmp_path / "feed", render_release(feed))
    return tmp_path / "feed"


def test_a_release_that_is_written_is_as_it_should_be(feed: ReleasePlan, folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == FILES
    assert compare_release(folder, render_release(feed)) == ()
    assert read_model(folder, feed.image.name) == feed.image


def test_files_are_plain_yaml_without_references_to_each_other(feed: ReleasePlan) -> None:
    for text in render_release(feed).values():
        assert list(yaml.safe_load_all(text))
        assert "&id0" not in text


def test_what_was_changed_by_hand_is_found(feed: ReleasePlan, folder: Path) -> None:
    """D3: what is released is what the stack file says."""
    path = folder / "stable.yaml"
    path.write_text(path.read_text().replace("maxReplicas: ", "maxReplicas: 1"))
    (folder / "canary.yaml").unlink()
    (folder / "role.yaml").write_text("kind: Role\n")
    assert [str(problem) for problem in compare_release(folder, render_release(feed))] == [
        "canary.yaml: is not there",
        "role.yaml: is no file of the release; remove it",
        "stable.yaml: differs from what the stack file and releases/ say now",
    ]


def test_a_stack_file_that_changed_since_is_found(
    feed: ReleasePlan, folder: Path, replan: Callable[..., Plan]
) -> None:
    def more(config: dict[str, Any]) -> None:
        config["headroom:pipelines"]["feed-serving"]["delivery"]["validation"]["quality"]["auc"]["min"] = 0.8

    now = release_of(replan(more), "feed-serving")
    assert [problem.path for problem in compare_release(folder, render_release(now))] == ["skaffold.yaml"]


def test_a_tag_written_into_a_release_is_refused(feed: ReleasePlan, folder: Path) -> None:
    """D3."""
    path = folder / "skaffold.yaml"
    path.write_text(path.read_text().replace(feed.image.reference, f"{feed.image.name}:7"))
    with pytest.raises(
        StackFileError, match=r"feed/skaffold.yaml: metadata.annotations: is an image by its tag"
    ):
        read_model(folder, feed.image.name)


@pytest.mark.parametrize("text", [None, "", "[]", "kind: Config", "metadata: {annotations: {}}", "a: ["])
def test_a_folder_without_a_release_is_refused_with_how_to_make_one(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "skaffold.yaml").write_text(text)
    with pytest.raises(
        StackFileError,
        match=r"(is no release that headroom rendered|there is no such file); headroom release render",
    ):
        read_model(tmp_path, "x")


def test_the_file_to_begin_with_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "feed-serving.yaml"
    path.write_text(render_server_file("feed-serving", "feed"))
    assert load_server(path).image == "feed"


def test_the_projects_own_files_are_sound(root: Path) -> None:
    names = sorted(path.stem for path in (root / "releases").glob("*.yaml"))
    assert names == ["assistant-serving", "feed-serving", "fraud-serving", "shelf-serving"]
    for name in names:
        assert load_server(root / "releases" / f"{name}.yaml").image == name.removesuffix("-serving")


def test_what_is_no_text_differs_and_is_not_raised(folder: Path, feed: ReleasePlan) -> None:
    (folder / "skaffold.yaml").write_bytes(b"\xff\xfe\x00")
    (problem,) = compare_release(folder, render_release(feed))
    assert problem.path == "skaffold.yaml"
    assert "differs" in problem.message


def test_a_file_in_the_place_of_the_folder_is_a_message(tmp_path: Path, feed: ReleasePlan) -> None:
    (tmp_path / "feed").write_text("mine")
    with pytest.raises(StackFileError, match=r"feed: cannot be written: File exists; name another folder"):
        write_release(tmp_path / "feed", render_release(feed))
    assert (tmp_path / "feed").read_text() == "mine"


def test_a_file_that_cannot_be_read_is_a_message(folder: Path, feed: ReleasePlan) -> None:
    (folder / "skaffold.yaml").unlink()
    (folder / "skaffold.yaml").mkdir()
    with pytest.raises(StackFileError, match=r"skaffold.yaml: cannot be read: Is a directory"):
        compare_release(folder, render_release(feed))
