"""States of stacks that are up: each is made once, by whichever worker comes first, and every test gets a copy."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sandbox.engine.cache import hold_lock


def make_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """Return the folder that `make` was given and filled; what a try left that failed is removed before another."""
    made, done = folder / "made", folder / "done"
    folder.mkdir(parents=True, exist_ok=True)
    with hold_lock(folder / "lock"):
        if not done.exists():
            if made.exists():
                shutil.rmtree(made)
            make(made)
            done.touch()
    return made


def copy_state(state: Path, copy: Path) -> None:
    """Copy a sandbox's state, its databases as of one moment: a provider may not have closed them yet."""
    besides = shutil.ignore_patterns("*.sqlite-wal", "*.sqlite-shm")
    shutil.copytree(state, copy, symlinks=True, ignore=besides, copy_function=_copy_file)


def _copy_file(source: str, copy: str) -> None:
    if not source.endswith(".sqlite"):
        shutil.copy2(source, copy)
        return
    with closing(sqlite3.connect(source, timeout=60)) as old, closing(sqlite3.connect(copy)) as new:
        old.backup(new)
