"""Pages as files: what is in their place is a message, never a traceback."""

from pathlib import Path

import pytest

from headroom.delivery.page_files import FOLDER, compare_pages, write_pages
from headroom.spec.errors import StackFileError

PAGES = {"feed": "about feed\n"}


def test_what_is_written_is_what_it_should_be(tmp_path: Path) -> None:
    assert write_pages(tmp_path, "dev", PAGES) == (f"{FOLDER}/dev/feed.md",)
    assert compare_pages(tmp_path, "dev", PAGES) == ()


def test_a_page_that_is_no_text_differs(tmp_path: Path) -> None:
    write_pages(tmp_path, "dev", PAGES)
    (tmp_path / FOLDER / "dev" / "feed.md").write_bytes(b"\xff\xfe")
    (problem,) = compare_pages(tmp_path, "dev", PAGES)
    assert "differs" in problem.message


def test_a_file_in_the_place_of_the_folder_is_a_message(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / FOLDER / "dev").write_text("mine")
    with pytest.raises(StackFileError, match=r"docs/delivery/dev: cannot be written: File exists"):
        write_pages(tmp_path, "dev", PAGES)
