"""The world's memory in SQLite; the only module that knows SQL.

One file serves many threads and processes: write-ahead logging, a connection for each thread, and every
change inside one immediate transaction.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

LIVE: Final = "live"
LEFT_OVER: Final = "left over"
SOFT_DELETED: Final = "soft-deleted"

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS objects (
  type TEXT NOT NULL, id TEXT NOT NULL, project TEXT NOT NULL, status TEXT NOT NULL, sequence INTEGER NOT NULL,
  created REAL NOT NULL, changed REAL NOT NULL, properties TEXT NOT NULL, PRIMARY KEY (type, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS objects_by_id ON objects (id, status);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class WorldObject:
    """Something the imitation holds. Times are seconds since the epoch; `status` is one of the constants above."""

    type: str
    id: str
    project: str
    status: str
    sequence: int
    created: float
    changed: float
    properties: dict[str, Any]


class Store:
    """The objects of one world, kept in the SQLite file at `path`, which is made where it is missing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection.executescript(_SCHEMA)

    @property
    def _connection(self) -> sqlite3.Connection:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._path, timeout=60, isolation_level=None)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            self._local.connection = connection
        return connection

    def close(self) -> None:
        """Close this thread's connection; another use opens it again."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All reads and writes of this thread inside happen together, or not at all if an error leaves."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def next_number(self, counter: str) -> int:
        """The next of the whole numbers 1, 2, 3, ... of a counter."""
        statement = "INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value"
        return self._connection.execute(statement, (counter,)).fetchone()[0]

    def find(self, type_: str, identity: str) -> WorldObject | None:
        """The object of this type and id in whatever status, or None."""
        row = self._connection.execute(
            "SELECT * FROM objects WHERE type = ? AND id = ?", (type_, identity)
        ).fetchone()
        return _object(row) if row else None

    def objects(self, type_: str | None = None, status: str | None = None) -> list[WorldObject]:
        """The objects of a type and status (all where None is given), in the order of their creation."""
        rows = self._connection.execute(
            "SELECT * FROM objects WHERE (?1 IS NULL OR type = ?1) AND (?2 IS NULL OR status = ?2) ORDER BY sequence",
            (type_, status),
        )
        return [_object(row) for row in rows]

    def put(self, item: WorldObject) -> None:
        """Keep the object, in the place of one of the same type and id if there is one."""
        text = json.dumps(item.properties, separators=(",", ":"))
        self._connection.execute(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (item.type, item.id, item.project, item.status, item.sequence, item.created, time.time(), text),
        )

    def remove(self, type_: str, identity: str) -> None:
        """Forget the object; nothing happens if there is none."""
        self._connection.execute("DELETE FROM objects WHERE type = ? AND id = ?", (type_, identity))


def _object(row: tuple[Any, ...]) -> WorldObject:
    return WorldObject(*row[:-1], properties=json.loads(row[-1]))
