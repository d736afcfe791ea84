"""Objects of buckets: added where none is, listed in pages, read as they came."""

import json
from typing import Any

import pytest

from sandbox.google.apis import admin
from sandbox.google.apis.server import answer
from sandbox.google.cloud import Cloud

BUCKET = "reports"


@pytest.fixture
def cloud(empty_cloud: Cloud) -> Cloud:
    admin.make_bucket(empty_cloud.store, "acme-ml-test", BUCKET)
    return empty_cloud


def add(cloud: Cloud, name: str, content: str, query: str = "uploadType=multipart") -> tuple[int, Any]:
    metadata = json.dumps({"name": name, "contentType": "text/plain"})
    body = (
        f"--==1==\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n{metadata}\r\n"
        f"--==1==\r\ncontent-type: text/plain\r\n\r\n{content}\r\n--==1==--"
    )
    headers = {"content-type": 'multipart/related; boundary="==1=="'}
    return answer(cloud.store, "POST", f"/upload/storage/v1/b/{BUCKET}/o?{query}", headers, body.encode())


def names(cloud: Cloud, query: str = "") -> tuple[list[str], str]:
    status, body = answer(cloud.store, "GET", f"/storage/v1/b/{BUCKET}/o?{query}", {}, b"")
    assert status == 200
    return [item["name"] for item in body["items"]], body.get("nextPageToken", "")


def test_what_is_added_is_read_as_it_came(cloud: Cloud) -> None:
    status, body = add(cloud, "a/b.txt", "line\r\nand ä")
    assert (status, body["name"]) == (200, "a/b.txt")
    status, content = answer(
        cloud.store, "GET", f"/download/storage/v1/b/{BUCKET}/o/a%2Fb.txt?alt=media", {}, b""
    )
    assert (status, content.decode()) == (200, "line\r\nand ä")


def test_a_list_has_what_begins_so_in_pages(cloud: Cloud) -> None:
    for number in range(25):
        add(cloud, f"a/{number:02}", "")
    add(cloud, "b/1", "")
    first, token = names(cloud, "prefix=a/")
    rest, end = names(cloud, f"prefix=a/&pageToken={token}")
    assert (len(first), len(rest), end) == (20, 5, "")
    assert first + rest == [f"a/{number:02}" for number in range(25)]


def test_nothing_that_is_there_is_replaced(cloud: Cloud) -> None:
    """Who may only create objects may not do what would take their deletion."""
    add(cloud, "a", "first")
    assert add(cloud, "a", "second", "uploadType=multipart&ifGenerationMatch=0")[0] == 412
    assert add(cloud, "a", "second")[0] == 403


def test_an_object_or_a_bucket_that_nobody_made_is_not_found(cloud: Cloud) -> None:
    assert answer(cloud.store, "GET", f"/download/storage/v1/b/{BUCKET}/o/a", {}, b"")[0] == 404
    assert answer(cloud.store, "GET", "/storage/v1/b/other/o", {}, b"")[0] == 404


def test_an_upload_in_another_form_is_refused(cloud: Cloud) -> None:
    status, _ = answer(
        cloud.store, "POST", f"/upload/storage/v1/b/{BUCKET}/o?uploadType=multipart", {}, b"{}"
    )
    assert status == 400


def test_what_may_not_be_done_is_said_with_its_permission(cloud: Cloud) -> None:
    admin.change_settings(cloud.store, "acme-ml-test", denied_permissions=("storage.objects.list",))
    status, body = answer(cloud.store, "GET", f"/storage/v1/b/{BUCKET}/o", {}, b"")
    assert status == 403
    assert "storage.objects.list" in body["error"]["message"]
