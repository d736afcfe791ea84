"""What admins change by hand is seen by the provider and by the APIs alike."""

from pathlib import Path

import pytest

from sandbox.google.apis import admin
from sandbox.google.cloud import Cloud
from sandbox.google.delays import read_pace
from sandbox.google.rules import Surroundings
from sandbox.google.services import is_enabled
from sandbox.google.store import Store
from tests.sandbox.google.conftest import World

API = "container.googleapis.com"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cloud.sqlite")


def test_settings_keep_what_was_changed_before(store: Store) -> None:
    admin.change_settings(store, "p", billed=False, groups=("a@b.co",))
    admin.change_settings(store, "p", active=False)
    assert admin.load_settings(store, "p") == admin.ProjectSettings(
        billed=False, active=False, groups=("a@b.co",)
    )
    assert admin.load_settings(store, "q") == admin.ProjectSettings()


def test_a_setting_that_there_is_not_is_refused(store: Store) -> None:
    with pytest.raises(TypeError):
        admin.change_settings(store, "p", colour="red")


def test_an_api_enabled_by_hand_answers_the_provider_at_once(store: Store) -> None:
    around = Surroundings(store, read_pace(store, {}).lag)
    assert not is_enabled(API, "p", 1.0e9, around)
    admin.enable_apis(store, "p", [API])
    assert is_enabled(API, "p", 1.0e9, around)
    admin.disable_api(store, "p", API)
    assert not is_enabled(API, "p", 1.0e9, around)


def test_the_program_adopts_an_api_that_an_admin_enabled(empty_cloud: Cloud) -> None:
    admin.enable_apis(empty_cloud.store, "acme-dev", [API])
    World(empty_cloud).make("gcp:projects/service:Service", service=API)
    assert len(empty_cloud.store.objects("gcp:projects/service:Service")) == 1
