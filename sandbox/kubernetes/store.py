"""The record of what is in clusters, in SQLite; the only module of this package that knows SQL."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.provider.database import Database

# The record lies beside the file of the imitated cloud, under this name.
FILE: Final = "kubernetes.sqlite"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS objects (
  cluster TEXT NOT NULL, api_version TEXT NOT NULL, kind TEXT NOT NULL, namespace TEXT NOT NULL,
  name TEXT NOT NULL, manifest TEXT NOT NULL, applied TEXT NOT NULL, foreign_fields TEXT NOT NULL,
  PRIMARY KEY (cluster, api_version, kind, namespace, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS releases (
  cluster TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, content TEXT NOT NULL,
  PRIMARY KEY (cluster, namespace, name)) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class RecordedObject:
    """An object of a cluster: as it is, as the provider applied it last, and the owners of other fields.

    `foreign_fields` has the manager of each path (`.spec.replicas`) that somebody set by hand.
    """

    cluster: str
    api_version: str
    kind: str
    namespace: str
    name: str
    manifest: dict[str, Any]
    applied: dict[str, Any] = field(default_factory=dict)
    foreign_fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """`namespace/name`, or the name alone."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True)
class RecordedRelease:
    """A Helm release of a cluster, with what was asked for and its status in `content`."""

    cluster: str
    namespace: str
    name: str
    content: dict[str, Any]


class Store(Database):
    """The objects of all clusters, kept in the SQLite file at `path`, which is made where it is missing."""

    SCHEMA = _SCHEMA

    def find(
        self, cluster: str, api_version: str, kind: str, namespace: str, name: str
    ) -> RecordedObject | None:
        """The object at a place, or None."""
        row = self._connection.execute(
            "SELECT * FROM objects WHERE cluster = ? AND api_version = ? AND kind = ? AND namespace = ? "
            "AND name = ?",
            (cluster, api_version, kind, namespace, name),
        ).fetchone()
        return _object(row) if row else None

    def put(self, item: RecordedObject) -> None:
        """Keep an object in the place of the one that is there."""
        values = (item.manifest, item.applied, dict(item.foreign_fields))
        self._connection.execute(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                item.cluster,
                item.api_version,
                item.kind,
                item.namespace,
                item.name,
                *(json.dumps(value) for value in values),
            ),
        )

    def remove(self, item: RecordedObject) -> None:
        """Forget an object."""
        self._connection.execute(
            "DELETE FROM objects WHERE cluster = ? AND api_version = ? AND kind = ? AND namespace = ? "
            "AND name = ?",
            (item.cluster, item.api_version, item.kind, item.namespace, item.name),
        )

    def remove_namespace(self, cluster: str, namespace: str) -> None:
        """Forget what is in a namespace, releases too."""
        for table in ("objects", "releases"):
            self._connection.execute(
                f"DELETE FROM {table} WHERE cluster = ? AND namespace = ?",  # noqa: S608 (names of above)
                (cluster, namespace),
            )

    def remove_group(self, cluster: str, group: str) -> None:
        """Forget all objects of an API group."""
        self._connection.execute(
            "DELETE FROM objects WHERE cluster = ? AND api_version GLOB ?", (cluster, f"{group}/*")
        )

    def objects(self, cluster: str | None = None, kind: str | None = None) -> list[RecordedObject]:
        """The objects, of a cluster and of a kind if given, in the order of their places."""
        rows = self._connection.execute(
            "SELECT * FROM objects WHERE (?1 IS NULL OR cluster = ?1) AND (?2 IS NULL OR kind = ?2) "
            "ORDER BY cluster, namespace, kind, name",
            (cluster, kind),
        )
        return [_object(row) for row in rows]

    def find_release(self, cluster: str, namespace: str, name: str) -> RecordedRelease | None:
        """The release of this name in a namespace, or None."""
        row = self._connection.execute(
            "SELECT * FROM releases WHERE cluster = ? AND namespace = ? AND name = ?",
            (cluster, namespace, name),
        ).fetchone()
        return _release(row) if row else None

    def put_release(self, release: RecordedRelease) -> None:
        """Keep a release in the place of the one that is there."""
        content = json.dumps(release.content)
        self._connection.execute(
            "INSERT OR REPLACE INTO releases VALUES (?, ?, ?, ?)",
            (release.cluster, release.namespace, release.name, content),
        )

    def remove_release(self, release: RecordedRelease) -> None:
        """Forget a release."""
        self._connection.execute(
            "DELETE FROM releases WHERE cluster = ? AND namespace = ? AND name = ?",
            (release.cluster, release.namespace, release.name),
        )

    def releases(self, cluster: str | None = None) -> list[RecordedRelease]:
        """The releases, of a cluster if given."""
        rows = self._connection.execute(
            "SELECT * FROM releases WHERE ?1 IS NULL OR cluster = ?1 ORDER BY cluster, namespace, name",
            (cluster,),
        )
        return [_release(row) for row in rows]


def _object(row: tuple[Any, ...]) -> RecordedObject:
    *place, manifest, applied, foreign = row
    return RecordedObject(*place, json.loads(manifest), json.loads(applied), json.loads(foreign))


def _release(row: tuple[Any, ...]) -> RecordedRelease:
    cluster, namespace, name, content = row
    return RecordedRelease(cluster, namespace, name, json.loads(content))
