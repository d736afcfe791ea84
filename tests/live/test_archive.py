"""Q8: audits are kept where nothing is replaced, by the real client library, and found again by time."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from headroom.audit.history import Entry, render_entry
from headroom.live.archive import Archive, find_earlier, keep, open_archive, require_place
from headroom.live.connection import ENDPOINT_VARIABLE, UnansweredError
from headroom.spec.errors import StackFileError
from sandbox.google.apis import admin
from sandbox.google.apis.server import serve
from sandbox.google.store import Store

PROJECT, BUCKET = "acme-ml-test", "test-reports-0a1b2c3"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(params=["a folder", "a bucket", "a part of a bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path, bucket: Store) -> str:
    return {
        "a folder": str(tmp_path / "audits"),
        "a bucket": f"gs://{BUCKET}",
        "a part of a bucket": f"gs://{BUCKET}/some/audits/",
    }[request.param]


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Store]:
    path = tmp_path / "cloud.sqlite"
    with serve(path) as url:
        store = Store(path)
        admin.enable_apis(store, PROJECT, ["storage.googleapis.com"])
        admin.make_bucket(store, PROJECT, BUCKET)
        monkeypatch.setenv(ENDPOINT_VARIABLE, url)
        yield store
        store.close()


@pytest.fixture
def archive(place: str) -> Archive:
    return open_archive(place, PROJECT)


def entry(at: datetime, stack: str = "prod") -> Entry:
    return Entry(at, stack, (("at-cap", "a", "warning"),), {})


def add(archive: Archive, at: datetime, stack: str = "prod") -> str:
    return keep(archive, stack, at, {"jsonl": render_entry(entry(at, stack)) + "\n", "html": "<p>ä</p>"})


def test_what_is_kept_is_found_again_by_time(archive: Archive) -> None:
    for days in range(25):
        add(archive, NOON - timedelta(days=days))
    add(archive, NOON, "dev")
    now = NOON + timedelta(hours=1)
    assert find_earlier(archive, "prod", "last", now) == entry(NOON)
    assert find_earlier(archive, "prod", "7d", now) == entry(NOON - timedelta(days=7))
    assert find_earlier(archive, "prod", "2026-11-01", now) == entry(NOON - timedelta(days=20))
    assert find_earlier(archive, "prod", "60d", now) is None
    assert find_earlier(archive, "other", "last", now) is None


def test_files_are_named_after_stack_and_time_and_read_as_written(archive: Archive) -> None:
    assert add(archive, NOON) == "prod/2026-11-20T12-00-00Z"
    names = ["prod/2026-11-20T12-00-00Z.html", "prod/2026-11-20T12-00-00Z.jsonl"]
    assert sorted(archive.names("prod")) == names
    assert archive.read(names[0]).decode() == "<p>ä</p>"


def test_nothing_that_is_kept_is_ever_replaced(archive: Archive) -> None:
    add(archive, NOON)
    with pytest.raises(UnansweredError, match=r"exists|pre-conditions"):
        keep(archive, "prod", NOON, {"html": "other"})
    assert archive.read("prod/2026-11-20T12-00-00Z.html").decode() == "<p>ä</p>"


def test_an_entry_that_is_none_is_told_by_its_name(archive: Archive) -> None:
    keep(archive, "prod", NOON, {"jsonl": "{}\n"})
    with pytest.raises(StackFileError, match=r"12-00-00Z\.jsonl: line 1"):
        find_earlier(archive, "prod", "last", NOON)


def test_an_entry_that_is_empty_is_not_no_earlier_audit(archive: Archive) -> None:
    keep(archive, "prod", NOON, {"jsonl": ""})
    with pytest.raises(StackFileError, match=r"12-00-00Z\.jsonl: is empty"):
        find_earlier(archive, "prod", "last", NOON)


def test_what_else_lies_there_is_no_audit(tmp_path: Path) -> None:
    archive = open_archive(str(tmp_path), PROJECT)
    (tmp_path / "prod").mkdir()
    (tmp_path / "prod" / "notes.jsonl").write_text("{}")
    assert find_earlier(archive, "prod", "last", NOON) is None


def test_a_bucket_that_may_not_be_used_is_told_with_what_is_missing(bucket: Store) -> None:
    permissions = ("storage.objects.create", "storage.objects.list")
    admin.change_settings(bucket, PROJECT, denied_permissions=permissions)
    archive = open_archive(f"gs://{BUCKET}", PROJECT)
    with pytest.raises(UnansweredError, match=r"403: .*storage\.objects\.list"):
        find_earlier(archive, "prod", "last", NOON)
    with pytest.raises(UnansweredError, match=r"403: .*storage\.objects\.create"):
        add(archive, NOON)


def test_a_bucket_that_is_not_there_is_an_answer(bucket: Store) -> None:
    with pytest.raises(UnansweredError, match="404"):
        add(open_archive("gs://nobodys", PROJECT), NOON)


@pytest.mark.parametrize("place", ["audits", "/tmp/audits", "gs://a-bucket", "gs://a-bucket/some/where"])
def test_a_folder_or_a_bucket_is_a_place(place: str) -> None:
    require_place(place)


@pytest.mark.parametrize(
    "place", ["", "s3://bucket", "gs:/b/x", "gs:b", "gs://", "gs:///prefix", "gs://A_Bucket"]
)
def test_anything_else_is_refused(place: str) -> None:
    with pytest.raises(ValueError, match="gs://BUCKET"):
        require_place(place)
