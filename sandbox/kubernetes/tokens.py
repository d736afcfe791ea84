"""Type tokens of pulumi_kubernetes, such as `kubernetes:apps/v1:Deployment`."""

from typing import Final

from sandbox.kubernetes.errors import RefusedError

_CORE: Final = "core/"
_PATCH: Final = "Patch"


def read_token(token: str) -> tuple[str, str]:
    """The API version and the kind of a token. Raises RefusedError for one of no object."""
    parts = token.split(":")
    if len(parts) != 3 or parts[0] != "kubernetes" or "/" not in parts[1]:
        raise RefusedError(f"{token} is a component or unknown: the sandbox serves objects and Helm releases")
    return parts[1].removeprefix(_CORE), parts[2]


def token_of(type_: str, urn: str) -> str:
    """The type token of a request, which the last part of a parent chain in the URN also tells."""
    return type_ or urn.split("::")[2].rpartition("$")[2]


def is_patch(token: str, kind: str) -> bool:
    """Whether the resource changes parts of an object that others made, as `NamespacePatch` does."""
    return token.endswith(_PATCH) and not kind.endswith(_PATCH)


def is_list(token: str) -> bool:
    """Whether the token names a list of objects, as `PodList` does."""
    return token.rpartition(":")[2].endswith("List")
