"""Artifact Registry: which image a tag is."""

from urllib.parse import quote

from headroom.live.connection import TIMEOUT_S, Connection, UnansweredError

_HOST = "artifactregistry.googleapis.com"


def find_digest(connection: Connection, image: str, tag: str) -> str | None:
    """Return the digest of an image's tag; None where there is no such tag, image or repository.

    `image` is as pods name it, without tag and digest, such as
    `europe-west4-docker.pkg.dev/acme-ml/models/feed`. Raises UnansweredError
    (docs.cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories.packages.
    tags/get, 2026-11).
    """
    import requests
    from google.auth.exceptions import GoogleAuthError

    url = f"{connection.url(_HOST)}/v1/{_name_tag(image, tag)}"
    try:
        with connection.session() as session:
            answer = session.get(url, timeout=TIMEOUT_S)
            status, body = answer.status_code, answer.json() if answer.content else {}
    except (requests.RequestException, GoogleAuthError, ValueError) as error:
        raise UnansweredError(f"Artifact Registry cannot be asked: {type(error).__name__}") from None
    if status == 404:
        return None
    version = body.get("version") if isinstance(body, dict) else None
    if status != 200 or not isinstance(version, str):
        raise UnansweredError(
            f"Artifact Registry answered {status} of {image}; reading it takes roles/artifactregistry.reader",
            status=status,
        )
    return version.rpartition("/")[2]


def _name_tag(image: str, tag: str) -> str:
    """Return the tag as the API names it: slashes of the package are escaped."""
    host, project, repository, package = image.split("/", 3)
    location = host.removesuffix("-docker.pkg.dev")
    return (
        f"projects/{project}/locations/{location}/repositories/{repository}/packages/"
        f"{quote(package, safe='')}/tags/{quote(tag, safe='')}"
    )
