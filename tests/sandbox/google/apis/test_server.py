"""The REST side of the imitation: strict about what it is asked, and true to its world."""

import json
import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest

from sandbox.google.apis import admin
from sandbox.google.apis.server import ROUTES, answer, serve
from sandbox.google.outputs import project_number
from sandbox.google.store import Store
from sandbox.google.world import World

PROJECT = "acme-ml-test"
APIS = [route.api for route in ROUTES]
QUOTAS = f"/v1/projects/{PROJECT}/locations/global/services/compute.googleapis.com/quotaInfos"
ZONES = f"/compute/v1/projects/{PROJECT}/zones"
RESOURCE = f"/v3/projects/{PROJECT}"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "cloud.sqlite")
    admin.enable_apis(made, PROJECT, APIS)
    return made


def get(store: Store, path: str, **query: Any) -> tuple[int, dict[str, Any]]:
    target = f"{path}?{urlencode(query, doseq=True)}" if query else path
    return answer(store, "GET", target, {}, b"")


def refusal(found: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    status, body = found
    assert body["error"]["code"] == status
    return status, body["error"]["status"]


@pytest.mark.parametrize(
    "path", ["/", "/v1/projects", "/v3/projects/a/b", f"{QUOTAS}/X", "/compute/v1/projects/p"]
)
def test_a_path_that_is_not_imitated_is_not_found(store: Store, path: str) -> None:
    assert refusal(get(store, path)) == (404, "NOT_FOUND")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_written(store: Store, method: str) -> None:
    for path in (RESOURCE, QUOTAS, ZONES, "/storage/v1/b/x"):
        assert refusal(answer(store, method, path, {}, b"{}")) == (405, "UNIMPLEMENTED")


def test_a_parameter_that_the_method_does_not_have_is_refused(store: Store) -> None:
    status, body = get(store, QUOTAS, pageSize=5, page_size=5)
    assert status == 400
    assert 'Unknown name "page_size"' in body["error"]["message"]
    assert get(store, QUOTAS, **{"$alt": "json;enum-encoding=int"})[0] == 200


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"permissions": []}', b'{"permissions": ["storage.*"]}'])
def test_a_malformed_body_is_refused(store: Store, body: bytes) -> None:
    found = answer(store, "POST", f"{RESOURCE}:testIamPermissions", {}, body)
    assert refusal(found) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    ("path", "size", "items"), [(QUOTAS, "pageSize", "quotaInfos"), (ZONES, "maxResults", "items")]
)
def test_pages_come_one_after_the_other_and_hold_everything_once(
    store: Store, path: str, size: str, items: str
) -> None:
    seen: list[str] = []
    token = ""
    while True:
        status, body = get(store, path, **{size: 7, "pageToken": token})
        assert status == 200
        assert 0 < len(body[items]) <= 7
        seen += [item.get("quotaId") or item["name"] for item in body[items]]
        token = body.get("nextPageToken", "")
        if not token:
            break
    assert len(seen) == len(set(seen)) > 20
    assert seen == sorted(seen) or path == ZONES


@pytest.mark.parametrize(
    "query", [{"pageSize": "x"}, {"pageSize": -1}, {"pageToken": "x"}, {"pageToken": "e30="}]
)
def test_a_page_that_does_not_exist_is_refused(store: Store, query: dict[str, Any]) -> None:
    assert refusal(get(store, QUOTAS, **query)) == (400, "INVALID_ARGUMENT")


def test_a_page_is_never_longer_than_the_api_allows(store: Store) -> None:
    assert len(get(store, QUOTAS, pageSize=1000)[1]["quotaInfos"]) == 20
    assert len(get(store, QUOTAS)[1]["quotaInfos"]) == 20


@pytest.mark.parametrize(
    "api",
    sorted(
        set(APIS)
        - {"storage.googleapis.com", "serviceusage.googleapis.com", "cloudresourcemanager.googleapis.com"}
    ),
)
def test_an_api_that_is_not_enabled_says_so_with_its_name(store: Store, api: str) -> None:
    admin.disable_api(store, PROJECT, api)
    path = {
        "cloudquotas.googleapis.com": QUOTAS,
        "compute.googleapis.com": ZONES,
        "cloudbilling.googleapis.com": f"/v1/projects/{PROJECT}/billingInfo",
        "orgpolicy.googleapis.com": f"/v2/projects/{PROJECT}/policies/gcp.resourceLocations:getEffectivePolicy",
        "cloudidentity.googleapis.com": "/v1/groups:lookup?groupKey.id=a@b.co",
        "container.googleapis.com": f"/v1/projects/{PROJECT}/locations/-/clusters",
        "monitoring.googleapis.com": f"/v1/projects/{PROJECT}/location/global/prometheus/api/v1/query",
    }[api]
    method = "POST" if api.startswith("monitoring") else "GET"
    status, body = answer(store, method, path, {"x-goog-user-project": PROJECT}, b"")
    assert status == 403
    details = body["error"]["details"][0]
    assert details["reason"] == "SERVICE_DISABLED"
    assert details["metadata"] == {"service": api, "consumer": f"projects/{project_number(PROJECT)}"}


def test_a_project_that_is_not_there_is_denied_like_one_that_may_not_be_seen(store: Store) -> None:
    admin.change_settings(store, PROJECT, exists=False)
    status, body = get(store, RESOURCE)
    assert status == 403
    assert "(or it may not exist)" in body["error"]["message"]


def test_a_limit_that_the_world_sets_is_the_limit_that_the_api_shows(store: Store, tmp_path: Path) -> None:
    World(tmp_path / "cloud.sqlite").set_quota(PROJECT, "NVIDIA-L4-GPUS-per-project-region/us-central1", 3)
    infos: list[dict[str, Any]] = []
    token = ""
    while not infos or token:
        _, body = get(store, QUOTAS, pageToken=token)
        infos, token = infos + body["quotaInfos"], body["nextPageToken"]
    l4 = next(info for info in infos if info["quotaId"] == "NVIDIA-L4-GPUS-per-project-region")
    assert l4["dimensionsInfos"][0] == {
        "dimensions": {"region": "us-central1"},
        "details": {"value": "3"},
        "applicableLocations": ["us-central1"],
    }
    assert "us-east1" in l4["dimensionsInfos"][1]["applicableLocations"]


def test_services_are_enabled_where_the_world_holds_them(store: Store) -> None:
    admin.disable_api(store, PROJECT, "compute.googleapis.com")
    parent = f"projects/{PROJECT}/services"
    names = [f"{parent}/compute.googleapis.com", f"{parent}/storage.googleapis.com"]
    _, body = get(store, f"/v1/projects/{PROJECT}/services:batchGet", names=names)
    assert [service["state"] for service in body["services"]] == ["DISABLED", "ENABLED"]


@pytest.mark.parametrize(
    "names", [[], ["projects/other/services/a"], [f"projects/{PROJECT}/services/{n}" for n in range(31)]]
)
def test_services_are_asked_for_by_name_at_most_thirty_at_once(store: Store, names: list[str]) -> None:
    found = get(store, f"/v1/projects/{PROJECT}/services:batchGet", names=names)
    assert refusal(found) == (400, "INVALID_ARGUMENT")


def test_a_machine_is_where_the_catalog_says_and_nowhere_else(store: Store) -> None:
    def status(zone: str, machine: str) -> int:
        return get(store, f"{ZONES}/{zone}/machineTypes/{machine}")[0]

    assert status("us-central1-a", "a3-highgpu-8g") == 200
    assert status("us-central1-a", "e2-medium") == 200
    assert status("us-central1-f", "a3-highgpu-8g") == 404
    assert status("us-central1-a", "a3-highgpu-9g") == 404
    assert status("us-central9-a", "e2-medium") == 404


def test_a_constraint_that_does_not_exist_is_not_found(store: Store) -> None:
    path = f"/v2/projects/{PROJECT}/policies/gcp.nonsense:getEffectivePolicy"
    assert refusal(get(store, path)) == (404, "NOT_FOUND")


def test_it_is_served_over_http_to_many_at_once(tmp_path: Path) -> None:
    with serve(tmp_path / "new" / "cloud.sqlite") as url:
        with urllib.request.urlopen(f"{url}{RESOURCE}") as found:
            assert json.load(found)["projectId"] == PROJECT
        with pytest.raises(HTTPError) as refused:
            urllib.request.urlopen(f"{url}/v1/nothing")
        assert refused.value.code == 404
        refused.value.close()
