"""APIs refuse until they are enabled, and a little longer."""

import time

import pytest

from sandbox.google.cloud import Cloud
from sandbox.google.delays import SCALE, Pace
from sandbox.google.errors import ApiError
from sandbox.google.facts import load_table
from sandbox.google.services import find_api
from tests.sandbox.google.conftest import SETTINGS, World

SERVICE = "gcp:projects/service:Service"
NETWORK = "gcp:compute/network:Network"


def test_an_api_that_is_not_enabled_answers_403_in_googles_words(empty_cloud: Cloud) -> None:
    with pytest.raises(ApiError) as caught:
        World(empty_cloud).make(NETWORK, name="vpc")

    assert caught.value.code == 403
    assert "Compute Engine API has not been used in project" in str(caught.value)
    assert str(caught.value).endswith(", SERVICE_DISABLED")


def test_an_enabled_api_answers(empty_cloud: Cloud) -> None:
    World(empty_cloud).make(SERVICE, service="compute.googleapis.com")

    assert World(empty_cloud).make(NETWORK, name="vpc").id


def test_an_api_enabled_in_one_project_is_not_enabled_in_another(empty_cloud: Cloud) -> None:
    World(empty_cloud).make(SERVICE, service="compute.googleapis.com", project="acme-prod")

    with pytest.raises(ApiError, match="SERVICE_DISABLED"):
        World(empty_cloud).make(NETWORK, name="vpc")


def test_an_api_goes_on_refusing_for_a_while_after_it_was_enabled(
    empty_cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.google.cloud.wait", lambda _: None)
    empty_cloud.store.turn(SCALE, "1")
    service = World(empty_cloud).make(SERVICE, service="compute.googleapis.com")
    lag = Pace(scale=1).lag("service", SERVICE, service.id)
    born = service.created

    monkeypatch.setattr(time, "time", lambda: born + lag - 0.1)
    with pytest.raises(ApiError, match="SERVICE_DISABLED"):
        World(empty_cloud).make(NETWORK, name="vpc")
    monkeypatch.setattr(time, "time", lambda: born + lag + 0.1)
    assert World(empty_cloud).make(NETWORK, name="vpc").id


def test_enabling_again_does_not_start_the_wait_again(cloud: Cloud) -> None:
    first = cloud.read(SERVICE, "acme-dev/compute.googleapis.com")
    World(cloud).make(SERVICE, service="compute.googleapis.com")

    again = cloud.read(SERVICE, "acme-dev/compute.googleapis.com")
    assert first
    assert again
    assert again.created == first.created


def test_what_was_made_cannot_be_deleted_through_a_disabled_api(cloud: Cloud) -> None:
    network = cloud.create(NETWORK, {"name": "vpc"}, SETTINGS)
    with cloud.store.transaction():
        cloud.store.remove(SERVICE, "acme-dev/compute.googleapis.com")

    with pytest.raises(ApiError, match="SERVICE_DISABLED"):
        cloud.delete(NETWORK, network.id)


def test_every_module_with_facts_has_an_api() -> None:
    modules = load_table("services")["modules"]

    assert find_api("gcp:projects/service:Service") == "serviceusage.googleapis.com"
    assert find_api("gcp:projects/iAMMember:IAMMember") == "cloudresourcemanager.googleapis.com"
    assert {"compute", "container", "kms", "logging", "monitoring", "clouddeploy"} <= set(modules)
