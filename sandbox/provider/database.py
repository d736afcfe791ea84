"""An SQLite file that many threads and processes share.

Write-ahead logging, a connection for each thread, and every change inside one immediate transaction.
"""

import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Final

_COUNTERS: Final = (
    "CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
)


class Database:
    """What a provider keeps, in the SQLite file at `path`, which is made where it is missing."""

    SCHEMA: ClassVar[str]
    """The tables, as statements that do nothing where a table is there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        # SQLite makes writers poll; threads of one process take turns instead.
        self._turn = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection.executescript(self.SCHEMA + _COUNTERS)

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
