"""The file of promises on disk."""

from pathlib import Path

import pytest

from headroom.live.promises_file import (
    BASE_VARIABLE,
    load_accepted_promises,
    load_promises,
    promises_path,
    save_promises,
)
from headroom.planning.promises import Promise
from headroom.spec.errors import StackFileError

OLD, NEW = (Promise("a", "cpu", "cpu", "16"),), (Promise("a", "cpu", "cpu", "8"),)


@pytest.fixture(autouse=True)
def no_base(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BASE_VARIABLE, raising=False)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = promises_path(tmp_path, "dev")
    assert load_accepted_promises(tmp_path, "dev") is None
    save_promises(path, OLD)
    assert path == tmp_path / "quotas" / "dev.promises.json"
    assert load_accepted_promises(tmp_path, "dev") == OLD
    assert [entry.name for entry in path.parent.iterdir()] == ["dev.promises.json"]


def test_a_change_is_compared_with_the_record_of_the_target_branch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Q5: who lowers a promise and its record in one change is seen all the same."""
    save_promises(promises_path(tmp_path, "dev"), NEW)
    base = tmp_path / "base.json"
    save_promises(base, OLD)
    monkeypatch.setenv(BASE_VARIABLE, str(base))
    assert load_accepted_promises(tmp_path, "dev") == OLD


def test_a_record_that_is_named_and_not_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_promises(promises_path(tmp_path, "dev"), NEW)
    monkeypatch.setenv(BASE_VARIABLE, str(tmp_path / "gone.json"))
    with pytest.raises(StackFileError, match=r"^gone.json: is not there, and HEADROOM_PROMISES names it"):
        load_accepted_promises(tmp_path, "dev")


def test_a_file_that_cannot_be_read_or_written_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    path = promises_path(tmp_path, "dev")
    path.mkdir(parents=True)
    with pytest.raises(StackFileError, match=r"^quotas/dev.promises.json: cannot be read: Is a directory$"):
        load_promises(path)
    with pytest.raises(StackFileError, match=r"^quotas/dev.promises.json: cannot be written: "):
        save_promises(path, OLD)
    assert [entry.name for entry in path.parent.iterdir()] == ["dev.promises.json"]
