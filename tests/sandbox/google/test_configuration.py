"""The provider's configuration is checked and understood as the official one's is."""

import pytest

from sandbox.google.configuration import check_configuration, read_settings


def test_an_unknown_key_is_refused_with_the_nearest_one() -> None:
    found = [(failure.path, failure.reason) for failure in check_configuration({"projekt": "acme-dev"})]

    assert found == [("projekt", "unexpected property 'projekt'; did you mean 'project'?")]


def test_what_the_official_provider_knows_is_accepted() -> None:
    given = {
        "project": "acme-dev",
        "region": "us-central1",
        "userProjectOverride": "true",
        "billingProject": "acme-dev",
        "defaultLabels": '{"environment": "dev"}',
        "version": "10.2.0",
    }

    assert list(check_configuration(given)) == []


@pytest.mark.parametrize("labels", [{"environment": "dev"}, '{"environment": "dev"}'])
def test_default_labels_come_as_json_or_as_they_are(labels: object) -> None:
    assert read_settings({"defaultLabels": labels}, {}).default_labels == {"environment": "dev"}


def test_default_labels_that_are_no_map_are_refused() -> None:
    assert [failure.path for failure in check_configuration({"defaultLabels": "dev"})] == ["defaultLabels"]


def test_project_and_region_come_from_the_environment_when_they_are_not_configured() -> None:
    environment = {"GOOGLE_CLOUD_PROJECT": "from-environment", "GOOGLE_REGION": "europe-west4"}

    assert read_settings({}, environment).project == "from-environment"
    assert read_settings({"project": "configured"}, environment).project == "configured"
    assert read_settings({}, environment).region == "europe-west4"


def test_the_attribution_label_can_be_turned_off() -> None:
    assert read_settings({}, {}).is_attributed
    assert not read_settings({"addPulumiAttributionLabel": "false"}, {}).is_attributed
