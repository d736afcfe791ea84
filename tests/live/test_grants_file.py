"""The file of grants on disk."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from headroom.live.grants_file import grants_path, load_grants, save_grants
from headroom.planning.grants import Grant, Grants
from headroom.spec.errors import StackFileError

GRANTS = Grants(
    "acme-ml-test",
    datetime(2026, 11, 21, tzinfo=UTC),
    (Grant("compute.googleapis.com", "X", None, (), 1),),
)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = grants_path(tmp_path, "dev")
    save_grants(path, GRANTS)
    assert path == tmp_path / "quotas" / "dev.json"
    assert load_grants(path, "acme-ml-test") == GRANTS
    assert [entry.name for entry in path.parent.iterdir()] == ["dev.json"]


def test_no_file_is_no_grants(tmp_path: Path) -> None:
    assert load_grants(tmp_path / "quotas" / "dev.json", "p") is None


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "quotas" / "dev.json"
    path.mkdir(parents=True)
    with pytest.raises(StackFileError, match=r"^quotas/dev.json: cannot be read: Is a directory$"):
        load_grants(path, "p")


def test_a_file_that_cannot_be_written_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "quotas" / "dev.json"
    path.mkdir(parents=True)
    with pytest.raises(StackFileError, match=r"^quotas/dev.json: cannot be written"):
        save_grants(path, GRANTS)
    assert [entry.name for entry in path.parent.iterdir()] == ["dev.json"]
