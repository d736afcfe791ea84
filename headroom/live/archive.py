"""Where audits are kept, each as files of its own: a folder, or a bucket, to which one only ever adds."""

import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

from headroom.audit.history import Entry, find_time, parse_history
from headroom.live.connection import TIMEOUT_S, Connection, UnansweredError, answers, bounds, connect
from headroom.spec.errors import Problem, StackFileError

SCHEME: Final = "gs://"
ENTRY: Final = "jsonl"
"""The kind of file that keeps an audit's line of the history."""

_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_MOMENT: Final = "%Y-%m-%dT%H-%M-%SZ"
_KINDS: Final = {
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    ENTRY: "application/jsonl",
}


class Archive(Protocol):
    """A place for files, by name; `/` parts folders."""

    def names(self, folder: str) -> Iterator[str]:
        """Give the names of all files in a folder."""
        ...

    def read(self, name: str) -> bytes:
        """Return what a file holds."""
        ...

    def add(self, name: str, text: str) -> None:
        """Keep a file; one that is there already is never replaced."""
        ...


def require_place(place: str) -> None:
    """Raise ValueError where `place` is neither a folder's path nor `gs://BUCKET[/PREFIX]`."""
    if place.startswith(SCHEME):
        if not _BUCKET.fullmatch(_split(place)[0]):
            raise ValueError("names no bucket; write gs://BUCKET/PREFIX")
    elif not place or "://" in place or place.startswith("gs:"):
        raise ValueError("must be a folder, or gs://BUCKET/PREFIX")


def open_archive(place: str, project: str) -> Archive:
    """Return the archive at `place`; a bucket is asked with the application default credentials.

    Raises UnansweredError where these are not accepted, and EndpointError as `connect` does.
    """
    if not place.startswith(SCHEME):
        return _Folder(Path(place))
    return _Bucket(connect(project), *_split(place))


def find_earlier(archive: Archive, stack: str, since: str, now: datetime) -> Entry | None:
    """Return the entry of `stack` that `since` means, as in a history; None where there is none.

    Raises UnansweredError where the archive cannot be read, and StackFileError where the entry is none.
    """
    times: dict[datetime, str] = {}
    for name in archive.names(stack):
        stem, _, kind = name.rpartition("/")[2].rpartition(".")
        if kind == ENTRY and (at := _parse_moment(stem)):
            times[at] = name
    at = find_time(times, since, now)
    if at is None:
        return None
    try:
        text = archive.read(times[at]).decode("utf-8")
    except UnicodeDecodeError:
        raise StackFileError([Problem("", "is not text in UTF-8")], times[at]) from None
    entries = parse_history(text, times[at])
    if not entries:
        raise StackFileError([Problem("", "is empty")], times[at])
    return entries[0]


def keep(archive: Archive, stack: str, at: datetime, texts: Mapping[str, str]) -> str:
    """Keep an audit's files, of which `texts` has the text by kind, and return what their names begin with.

    The history's line comes last: where it is, all is. Raises UnansweredError where they cannot be kept.
    """
    stem = f"{stack}/{at.astimezone(UTC).strftime(_MOMENT)}"
    for kind, text in sorted(texts.items(), key=lambda item: (item[0] == ENTRY, item[0])):
        archive.add(f"{stem}.{kind}", text)
    return stem


def _split(place: str) -> tuple[str, str]:
    bucket, _, prefix = place.removeprefix(SCHEME).partition("/")
    return bucket, f"{prefix.strip('/')}/" if prefix.strip("/") else ""


def _parse_moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class _Folder:
    path: Path

    def names(self, folder: str) -> Iterator[str]:
        with _told(self.path):
            for found in sorted((self.path / folder).glob("*")):
                yield f"{folder}/{found.name}"

    def read(self, name: str) -> bytes:
        with _told(self.path):
            return (self.path / name).read_bytes()

    def add(self, name: str, text: str) -> None:
        with _told(self.path):
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            with (self.path / name).open("x", encoding="utf-8") as file:
                file.write(text)


@contextmanager
def _told(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise UnansweredError(f"{error.filename or path}: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class _Bucket:
    connection: Connection
    bucket: str
    prefix: str

    def names(self, folder: str) -> Iterator[str]:
        start = f"{self.prefix}{folder}/"
        with answers(self.connection.project):
            found = [blob.name for blob in self._open().list_blobs(prefix=start, **_limits())]
        yield from (name.removeprefix(self.prefix) for name in found)

    def read(self, name: str) -> bytes:
        with answers(self.connection.project):
            return self._open().blob(self.prefix + name).download_as_bytes(**_limits())

    def add(self, name: str, text: str) -> None:
        blob, kind = self._open().blob(self.prefix + name), _KINDS[name.rpartition(".")[2]]
        with answers(self.connection.project):
            # Of generation 0: only where nothing is.
            blob.upload_from_string(text, content_type=kind, if_generation_match=0, **_limits())

    def _open(self) -> Any:
        from google.cloud import storage

        endpoint = self.connection.endpoint
        client = storage.Client(
            project=self.connection.project,
            credentials=self.connection.credentials,
            client_options={"api_endpoint": endpoint} if endpoint else None,
        )
        return client.bucket(self.bucket)


def _limits() -> dict[str, Any]:
    return {"timeout": TIMEOUT_S, "retry": bounds()["retry"]}
