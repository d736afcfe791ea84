import stat
import threading
from pathlib import Path

from sandbox.engine.cache import find_cache_folder, find_state_folder, hold_lock, replace_file


def test_cache_folder_is_the_chosen_one_else_that_of_the_user():
    assert find_cache_folder({"HEADROOM_CACHE": "/a", "XDG_CACHE_HOME": "/b"}) == Path("/a")
    assert find_cache_folder({"XDG_CACHE_HOME": "/b"}) == Path("/b/headroom")
    assert find_cache_folder({}) == Path.home() / ".cache" / "headroom"


def test_each_project_has_a_state_folder_of_its_own(tmp_path):
    environ = {"HEADROOM_CACHE": str(tmp_path)}
    first, second = (find_state_folder(tmp_path / name, environ) for name in ("one", "two"))
    assert first != second
    assert first.parent == second.parent == tmp_path / "sandbox"
    assert find_state_folder(tmp_path / "one", environ) == first
    assert find_state_folder(tmp_path / "one", {"HEADROOM_SANDBOX": "/s"}) == Path("/s")


def test_file_is_written_once_with_its_permissions(tmp_path):
    path = tmp_path / "new" / "secret"
    assert replace_file(path, "text", mode=0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not replace_file(path, "text", mode=0o600)
    assert replace_file(path, "other", mode=0o600)
    assert [each.name for each in path.parent.iterdir()] == ["secret"]


def test_link_is_replaced_and_its_target_stays(tmp_path):
    (tmp_path / "target").write_text("text")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    assert replace_file(tmp_path / "link", "text")
    assert not (tmp_path / "link").is_symlink()
    replace_file(tmp_path / "link", "other")
    assert (tmp_path / "target").read_text() == "text"


def test_second_holder_of_a_lock_is_told_and_waits(tmp_path):
    events: list[str] = []
    told = threading.Event()

    def second() -> None:
        with hold_lock(tmp_path / "lock", told.set):
            events.append("second")

    with hold_lock(tmp_path / "lock", lambda: events.append("never")):
        thread = threading.Thread(target=second)
        thread.start()
        assert told.wait(10)
        events.append("first")
    thread.join(10)
    assert events == ["first", "second"]
