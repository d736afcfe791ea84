"""Images that lie in another project, where the stack gives its nodes no right to read."""

import re
from collections.abc import Iterator

from headroom.spec.errors import Problem
from headroom.spec.pipelines import ServingPipeline
from headroom.spec.platform import Platform

# cloud.google.com/artifact-registry/docs/docker/names and /docs/integrate-gke, 2026-11.
_REGISTRY = re.compile(
    r"(?:[a-z0-9-]+-docker\.pkg\.dev|(?:[a-z]+\.)?gcr\.io)/([a-z][a-z0-9-]{4,28}[a-z0-9])/"
)


def find_foreign(platform: Platform, environment: str) -> list[Problem]:
    """Return a note for each image of another project, with the command that lets the nodes pull it."""
    node = f"serviceAccount:{environment}-nodes@{platform.project}.iam.gserviceaccount.com"
    notes = []
    for key, image in _list_images(platform):
        found = _REGISTRY.match(image)
        if found and found[1] != platform.project:
            notes.append(
                Problem(
                    key,
                    f"is an image of the project {found[1]}: unless everybody may read it, nodes cannot "
                    f"pull it until `gcloud projects add-iam-policy-binding {found[1]} --member={node} "
                    "--role=roles/artifactregistry.reader`",
                )
            )
    return notes


def _list_images(platform: Platform) -> Iterator[tuple[str, str]]:
    """The images by their keys: those that are given by digest, not those whose use is only allowed."""
    if platform.operations:
        yield "headroom:operations.image", platform.operations.image
    if platform.delivery.validation_image:
        yield "headroom:delivery.validation_image", platform.delivery.validation_image
    for name, pipeline in sorted(platform.pipelines.items()):
        if isinstance(pipeline, ServingPipeline) and pipeline.delivery and pipeline.delivery.validation.image:
            yield f"headroom:pipelines.{name}.delivery.validation.image", pipeline.delivery.validation.image
