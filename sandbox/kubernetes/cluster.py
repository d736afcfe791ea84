"""What the provider asks of a cluster: of a real API server (`live`) or of a record (`recorded`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sandbox.kubernetes.kinds import Kind

Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """Where an object is; the namespace of one that is in none is empty."""

    kind: Kind
    namespace: str
    name: str

    @property
    def id(self) -> str:
        """The object's id in Pulumi: `namespace/name`, or the name alone."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True)
class Application:
    """How to apply: as which field manager, over the heads of others or not, for real or on trial."""

    manager: str
    force: bool = False
    dry_run: bool = False


class Cluster(Protocol):
    """An API server. Every call raises `ApiError` for what it refuses, `UnreachableError` without answer."""

    @property
    def has_controllers(self) -> bool:
        """Whether anybody makes objects ready, so that waiting for it has an end."""
        ...

    @property
    def retry_scale(self) -> float:
        """How long a second of waiting between attempts is."""
        ...

    def find_kind(self, api_version: str, name: str) -> Kind | None:
        """The kind, if it is served now."""
        ...

    def read(self, place: Place) -> Manifest:
        """The object as it is; a 404 if there is none."""
        ...

    def create(self, place: Place, manifest: Manifest, how: Application) -> Manifest:
        """Make the object; a 409 if there is one."""
        ...

    def apply(self, place: Place, manifest: Manifest, how: Application) -> Manifest:
        """Make or change the object by server-side apply; a 409 where other managers own what it changes."""
        ...

    def replace(self, place: Place, manifest: Manifest, how: Application) -> Manifest:
        """Put the manifest in the place of the object."""
        ...

    def adopt(self, place: Place, live: Manifest, manager: str) -> Manifest:
        """Let `manager` own what client-side managers of the provider own of the object `live`."""
        ...

    def delete(self, place: Place, propagation: str) -> None:
        """Begin to delete the object; a 404 if there is none."""
        ...
