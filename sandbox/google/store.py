"""The world's memory in SQLite; the only module that knows SQL.

One file serves many threads and processes: write-ahead logging, a connection for each thread, and every
change inside one immediate transaction.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

LIVE: Final = "live"
LEFT_OVER: Final = "left over"
SOFT_DELETED: Final = "soft-deleted"

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS objects (
  type TEXT NOT NULL, id TEXT NOT NULL, project TEXT NOT NULL, status TEXT NOT NULL,
  sequence INTEGER NOT NULL, created REAL NOT NULL, changed REAL NOT NULL, properties TEXT NOT NULL,
  PRIMARY KEY (type, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS objects_by_id ON objects (id, status);
CREATE TABLE IF NOT EXISTS links (
  source_type TEXT NOT NULL, source_id TEXT NOT NULL, target_type TEXT NOT NULL, target_id TEXT NOT NULL,
  relation TEXT NOT NULL,
  PRIMARY KEY (source_type, source_id, target_type, target_id, relation)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS links_by_target ON links (target_type, target_id, relation);
CREATE TABLE IF NOT EXISTS draws (
  type TEXT NOT NULL, id TEXT NOT NULL, project TEXT NOT NULL, quota TEXT NOT NULL, amount REAL NOT NULL,
  PRIMARY KEY (type, id, quota)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS totals (
  project TEXT NOT NULL, quota TEXT NOT NULL, amount REAL NOT NULL,
  PRIMARY KEY (project, quota)) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS draws_add AFTER INSERT ON draws BEGIN
  INSERT INTO totals VALUES (new.project, new.quota, new.amount)
  ON CONFLICT (project, quota) DO UPDATE SET amount = amount + new.amount;
END;
CREATE TRIGGER IF NOT EXISTS draws_take AFTER DELETE ON draws BEGIN
  UPDATE totals SET amount = amount - old.amount WHERE project = old.project AND quota = old.quota;
END;
CREATE TABLE IF NOT EXISTS limits (
  project TEXT NOT NULL, quota TEXT NOT NULL, value REAL NOT NULL,
  PRIMARY KEY (project, quota)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS faults (
  number INTEGER PRIMARY KEY, kind TEXT NOT NULL, operation TEXT NOT NULL, type TEXT NOT NULL,
  rate REAL NOT NULL, at INTEGER NOT NULL, remaining INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS knobs (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Link:
    """That one object refers to another, and in what relation: it blocks its deletion, or it goes with it."""

    target_type: str
    target_id: str
    relation: str


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong: what, at which calls.

    `operation` is create, read, update, delete or * for any; `type` a token or *. It strikes the call of that
    number (`at`, counted from when it was injected) or, where `at` is 0, each call with probability `rate`;
    `remaining` times in all, without end if negative.
    """

    number: int
    kind: str
    operation: str
    type: str
    rate: float
    at: int
    remaining: int


@dataclass(frozen=True)
class WorldObject:
    """Something the imitation holds. Times are seconds since the epoch; `status` is a constant above."""

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
        # SQLite makes writers poll; threads of one process take turns instead.
        self._turn = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection.executescript(_SCHEMA)

    @property
    def path(self) -> Path:
        """The file that it is kept in."""
        return self._path

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
        with self._turn:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def next_number(self, counter: str) -> int:
        """The next of the whole numbers 1, 2, 3, ... of a counter."""
        statement = (
            "INSERT INTO counters VALUES (?, 1) "
            "ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value"
        )
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
            "SELECT * FROM objects WHERE (?1 IS NULL OR type = ?1) AND (?2 IS NULL OR status = ?2) "
            "ORDER BY sequence",
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
        self.release(type_, identity)

    def release(self, type_: str, identity: str) -> None:
        """Forget what the object refers to and what it draws from quotas."""
        own = (type_, identity)
        self._connection.execute("DELETE FROM links WHERE source_type = ? AND source_id = ?", own)
        self._connection.execute("DELETE FROM draws WHERE type = ? AND id = ?", own)

    def link(self, type_: str, identity: str, links: Iterable[Link]) -> None:
        """Remember what the object refers to, in the place of what it referred to before."""
        self._connection.execute(
            "DELETE FROM links WHERE source_type = ? AND source_id = ?", (type_, identity)
        )
        self._connection.executemany(
            "INSERT OR IGNORE INTO links VALUES (?, ?, ?, ?, ?)",
            [(type_, identity, link.target_type, link.target_id, link.relation) for link in links],
        )

    def referring(self, type_: str, identity: str, relation: str) -> list[tuple[str, str]]:
        """Type and id of every object that refers to this one in that relation."""
        rows = self._connection.execute(
            "SELECT source_type, source_id FROM links "
            "WHERE target_type = ? AND target_id = ? AND relation = ? ORDER BY source_type, source_id",
            (type_, identity, relation),
        )
        return rows.fetchall()

    def draw(self, type_: str, identity: str, project: str, amounts: Mapping[str, float]) -> None:
        """Remember what the object draws from quotas, in the place of what it drew before."""
        self._connection.execute("DELETE FROM draws WHERE type = ? AND id = ?", (type_, identity))
        self._connection.executemany(
            "INSERT INTO draws VALUES (?, ?, ?, ?, ?)",
            [(type_, identity, project, quota, amount) for quota, amount in amounts.items()],
        )

    def drawn(self, project: str, quota: str, without: tuple[str, str]) -> float:
        """What is drawn from a quota of a project, the object of that type and id left aside."""
        statement = (
            "SELECT coalesce((SELECT amount FROM totals WHERE project = ?1 AND quota = ?2), 0) - "
            "coalesce((SELECT sum(amount) FROM draws WHERE type = ?3 AND id = ?4 AND quota = ?2), 0)"
        )
        return self._connection.execute(statement, (project, quota, *without)).fetchone()[0]

    def draws(self, project: str) -> dict[str, float]:
        """What is drawn from each quota of a project."""
        statement = "SELECT quota, amount FROM totals WHERE project = ? AND amount > 0 ORDER BY quota"
        return dict(self._connection.execute(statement, (project,)).fetchall())

    def limits(self, project: str) -> dict[str, float]:
        """The limits that were set for a project, by quota."""
        statement = "SELECT quota, value FROM limits WHERE project = ? ORDER BY quota"
        return dict(self._connection.execute(statement, (project,)).fetchall())

    def set_limit(self, project: str, quota: str, value: float) -> None:
        """Set the limit of a quota in a project."""
        self._connection.execute("INSERT OR REPLACE INTO limits VALUES (?, ?, ?)", (project, quota, value))

    def faults(self) -> list[Fault]:
        """The faults that can still strike, oldest first."""
        rows = self._connection.execute("SELECT * FROM faults WHERE remaining <> 0 ORDER BY number")
        return [Fault(*row) for row in rows]

    def add_fault(self, fault: Fault) -> None:
        """Remember a fault; its number is given by the store."""
        self._connection.execute(
            "INSERT INTO faults (kind, operation, type, rate, at, remaining) VALUES (?, ?, ?, ?, ?, ?)",
            (fault.kind, fault.operation, fault.type, fault.rate, fault.at, fault.remaining),
        )

    def change_fault(self, number: int, at: int, remaining: int) -> None:
        """Keep how many calls are left until a fault strikes, and how often it still will."""
        statement = "UPDATE faults SET at = ?, remaining = ? WHERE number = ?"
        self._connection.execute(statement, (at, remaining, number))

    def give_fault_back(self, number: int) -> None:
        """Let a fault strike once more; one without end does anyway."""
        statement = "UPDATE faults SET remaining = remaining + 1 WHERE number = ? AND remaining >= 0"
        self._connection.execute(statement, (number,))

    def clear_faults(self) -> None:
        """Forget all faults."""
        self._connection.execute("DELETE FROM faults")

    def knob(self, name: str) -> str | None:
        """A setting of the world, or None if it was never set."""
        row = self._connection.execute("SELECT value FROM knobs WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def turn(self, name: str, value: str) -> None:
        """Set a setting of the world."""
        self._connection.execute("INSERT OR REPLACE INTO knobs VALUES (?, ?)", (name, value))


def _object(row: tuple[Any, ...]) -> WorldObject:
    return WorldObject(*row[:-1], properties=json.loads(row[-1]))
