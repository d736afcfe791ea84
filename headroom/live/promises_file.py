"""Reads and writes `quotas/<stack>.promises.json`."""

import os
from pathlib import Path

from headroom.planning.promises import Promise, parse_promises, render_promises
from headroom.spec.errors import Problem, StackFileError

BASE_VARIABLE = "HEADROOM_PROMISES"
"""Names the file as the target branch has it, so that a change is not compared with its own version."""


def promises_path(root: Path, stack: str) -> Path:
    """Return where the promises of `stack` are kept in the project whose folder is `root`."""
    return root / "quotas" / f"{stack}.promises.json"


def load_promises(path: Path) -> tuple[Promise, ...] | None:
    """Return the promises in the file, None where there is no file. Raises StackFileError."""
    file = f"{path.parent.name}/{path.name}"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StackFileError([Problem("", f"cannot be read: {error.strerror}")], file) from None
    return parse_promises(content, file)


def load_accepted_promises(root: Path, stack: str) -> tuple[Promise, ...] | None:
    """Return what a change is compared with: the file that HEADROOM_PROMISES names, else the stack's own.

    None where nothing is known of it. Raises StackFileError, also where the file that is named is not there.
    """
    named = os.environ.get(BASE_VARIABLE)
    if not named:
        return load_promises(promises_path(root, stack))
    promises = load_promises(Path(named))
    if promises is None:
        problem = Problem("", f"is not there, and {BASE_VARIABLE} names it; name another, or unset it")
        raise StackFileError([problem], Path(named).name)
    return promises


def save_promises(path: Path, promises: tuple[Promise, ...]) -> None:
    """Write the file, as a whole or not at all. Raises StackFileError where that is not possible."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(render_promises(promises), encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        problem = Problem("", f"cannot be written: {error.strerror}")
        raise StackFileError([problem], f"{path.parent.name}/{path.name}") from None
