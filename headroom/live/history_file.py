"""Reads and appends to the file that keeps a line for each audit."""

from pathlib import Path

from headroom.audit.history import Entry, parse_history, render_entry
from headroom.spec.errors import Problem, StackFileError

_LARGEST = 256 * 2**20


def load_history(path: Path) -> tuple[Entry, ...]:
    """Return the entries of a history, none where there is no file. Raises StackFileError."""
    try:
        content = path.read_bytes()
        if len(content) > _LARGEST:
            raise StackFileError([Problem("", f"is larger than {_LARGEST // 2**20} MiB")], path.name)
        return parse_history(content.decode("utf-8"), path.name)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise StackFileError([Problem("", f"cannot be read: {error.strerror}")], path.name) from None
    except UnicodeDecodeError:
        raise StackFileError([Problem("", "is not text in UTF-8")], path.name) from None


def append_entry(path: Path, entry: Entry) -> None:
    """Add a line, whole, at the end of the file. Raises StackFileError where that is not possible."""
    try:
        with path.open("ab") as file:
            file.write(render_entry(entry).encode() + b"\n")
    except OSError as error:
        raise StackFileError([Problem("", f"cannot be written: {error.strerror}")], path.name) from None
