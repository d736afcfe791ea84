"""Q4: a stack file is replaced as a whole or not at all."""

from pathlib import Path

import pytest

from headroom.live.limits_file import read_text, replace_text
from headroom.spec.errors import Problem, StackFileError


@pytest.fixture
def stack_file(tmp_path: Path) -> Path:
    path = tmp_path / "Pulumi.dev.yaml"
    path.write_bytes(b"config:\r\n  a: 1\r\n")
    path.chmod(0o640)
    return path


def accept(_: Path) -> None:
    """Find nothing wrong."""


def test_the_text_is_replaced_and_the_mode_kept(stack_file: Path) -> None:
    replace_text(stack_file, "config: {}\n", read_text(stack_file), accept)
    assert stack_file.read_bytes() == b"config: {}\n"
    assert stack_file.stat().st_mode & 0o777 == 0o640
    assert list(stack_file.parent.iterdir()) == [stack_file]


def test_a_link_stays_a_link(stack_file: Path, tmp_path: Path) -> None:
    link = tmp_path / "Pulumi.link.yaml"
    link.symlink_to(stack_file)
    replace_text(link, "new", read_text(link), accept)
    assert link.is_symlink()
    assert stack_file.read_text() == "new"


def test_what_is_not_accepted_is_not_written(stack_file: Path) -> None:
    def refuse(draft: Path) -> None:
        assert draft.read_text() == "new"
        raise StackFileError([Problem("", "does not fit")])

    before = read_text(stack_file)
    with pytest.raises(StackFileError, match="does not fit"):
        replace_text(stack_file, "new", before, refuse)
    assert read_text(stack_file) == before
    assert list(stack_file.parent.iterdir()) == [stack_file]


def test_somebody_elses_change_is_not_overwritten(stack_file: Path) -> None:
    with pytest.raises(StackFileError, match="has been changed meanwhile; try again"):
        replace_text(stack_file, "new", "what it was", accept)
    assert "a: 1" in read_text(stack_file)


def test_a_folder_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(StackFileError, match=r"Pulumi.x.yaml: cannot be written: No such file"):
        replace_text(tmp_path / "gone" / "Pulumi.x.yaml", "new", "old", accept)
