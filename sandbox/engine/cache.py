"""Where the sandbox keeps what it builds and remembers, and the lock that makes processes wait in turn."""

import fcntl
import hashlib
import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sandbox.engine.errors import SandboxError


def find_cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The project's cache folder: `$HEADROOM_CACHE`, else below `$XDG_CACHE_HOME` or `~/.cache`.

    Raises SandboxError where there is no home folder and none of the variables is set.
    """
    if chosen := environ.get("HEADROOM_CACHE"):
        return Path(chosen).expanduser().absolute()
    base = environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache").absolute() / "headroom"
    except RuntimeError:
        raise SandboxError(
            "there is no home folder to keep things in: name a folder in HEADROOM_CACHE"
        ) from None


def find_state_folder(project: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """The state folder of the sandbox of the project in the folder `project`.

    `$HEADROOM_SANDBOX` where it is set, else a folder of the cache named after the project's path.
    """
    if chosen := environ.get("HEADROOM_SANDBOX"):
        return Path(chosen).expanduser().absolute()
    digest = hashlib.sha256(str(project.resolve()).encode()).hexdigest()[:16]
    return find_cache_folder(environ) / "sandbox" / digest


@contextmanager
def hold_lock(path: Path, on_wait: Callable[[], None] = lambda: None) -> Generator[None]:
    """Hold the file lock `path` (made if absent); `on_wait` is called once if another process has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def replace_file(path: Path, text: str, mode: int = 0o644) -> bool:
    """Write `text` to `path` in one step, with the permissions `mode`; False if it already said that."""
    if path.is_file() and not path.is_symlink() and path.read_bytes() == text.encode():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(text)
    draft.chmod(mode)
    draft.replace(path)
    return True
