"""Images of other projects are told of, as the nodes have no right to read there."""

from typing import Any

import pytest

from headroom.planning.plan import plan_config
from headroom.spec.errors import Problem

DIGEST = "@sha256:" + 64 * "0"


def notes_of(config: dict[str, Any], image: str) -> list[Problem]:
    config["headroom:operations"] = {"image": image + DIGEST, "audit": {}}
    config["headroom:delivery"] = {"validation_image": image + DIGEST}
    notes = plan_config(config, "test", "f").notes
    return [note for note in notes if note.path.endswith("image")]


@pytest.mark.parametrize(
    "host", ["us-central1-docker.pkg.dev", "europe-docker.pkg.dev", "gcr.io", "eu.gcr.io"]
)
def test_an_image_of_another_project_is_noted_with_the_command_that_lets_nodes_pull_it(
    config: dict[str, Any], host: str
) -> None:
    notes = notes_of(config, f"{host}/acme-tools/tools/headroom")
    assert [note.path for note in notes] == [
        "headroom:operations.image",
        "headroom:delivery.validation_image",
    ]
    for note in notes:
        assert note.message.startswith("is an image of the project acme-tools: ")
        member = "--member=serviceAccount:test-nodes@acme-ml-test.iam.gserviceaccount.com"
        grant = (
            f"gcloud projects add-iam-policy-binding acme-tools {member} --role=roles/artifactregistry.reader"
        )
        assert f"`{grant}`" in note.message


@pytest.mark.parametrize(
    "image", ["us-central1-docker.pkg.dev/acme-ml-test/tools/headroom", "ghcr.io/acme-tools/headroom"]
)
def test_one_of_its_own_project_or_of_a_registry_that_is_not_googles_is_not(
    config: dict[str, Any], image: str
) -> None:
    assert notes_of(config, image) == []
