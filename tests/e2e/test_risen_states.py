"""What tests start from is whole, even where its first try failed or its providers still write."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sandbox.provider.database import Database
from tests.e2e.risen_states import copy_state, make_once


class Numbers(Database):
    SCHEMA = ""


def test_a_try_that_failed_leaves_nothing_to_the_next(tmp_path: Path) -> None:
    def fail(made: Path) -> None:
        made.mkdir()
        (made / "half").touch()
        raise AssertionError("the update failed")

    with pytest.raises(AssertionError):
        make_once(tmp_path / "dev", fail)
    made = make_once(tmp_path / "dev", Path.mkdir)
    assert list(made.iterdir()) == []


def test_what_was_made_is_made_once(tmp_path: Path) -> None:
    calls: list[Path] = []
    assert make_once(tmp_path / "dev", calls.append) == make_once(tmp_path / "dev", calls.append)
    assert len(calls) == 1


def test_a_copy_has_what_a_provider_wrote_that_still_holds_the_file(tmp_path: Path) -> None:
    state, copy = tmp_path / "state", tmp_path / "copy"
    (state / "project").mkdir(parents=True)
    (state / "project" / "link").symlink_to(tmp_path)
    (state / "passphrase").write_text("secret")
    held = Numbers(state / "cloud.sqlite")
    assert [held.next_number("a") for _ in range(3)] == [1, 2, 3]
    assert (state / "cloud.sqlite-wal").stat().st_size > 0

    copy_state(state, copy)
    # What is written from now on is no part of the copy, which is one file, as of one moment.
    held.next_number("a")
    assert sorted(path.name for path in copy.iterdir()) == ["cloud.sqlite", "passphrase", "project"]
    assert (copy / "project" / "link").is_symlink()
    with closing(sqlite3.connect(copy / "cloud.sqlite")) as connection:
        assert connection.execute("SELECT value FROM counters").fetchall() == [(3,)]
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    held.close()
