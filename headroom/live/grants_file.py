"""Reads and writes `quotas/<stack>.json`."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headroom.planning.grants import Grants, parse_grants, render_grants
from headroom.spec.errors import Problem, StackFileError


def grants_path(root: Path, stack: str) -> Path:
    """Return where the grants of `stack` are kept in the project whose folder is `root`."""
    return root / "quotas" / f"{stack}.json"


def load_grants(path: Path, project: str) -> Grants | None:
    """Return the grants in the file, None where there is no file.

    Raises StackFileError for a file that cannot be used, or that is of another project than `project`.
    """
    file = f"{path.parent.name}/{path.name}"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StackFileError([Problem("", f"cannot be read: {error.strerror}")], file) from None
    return parse_grants(content, file, project)


def load_stack_grants(root: Path, stack: str, config: Mapping[str, Any]) -> Grants | None:
    """Return the grants of the project that a stack's `config` names; None where nothing is known of it.

    Raises StackFileError as `load_grants` does.
    """
    project = config.get("gcp:project")
    return load_grants(grants_path(root, stack), project) if isinstance(project, str) else None


def save_grants(path: Path, grants: Grants) -> None:
    """Write the file, as a whole or not at all. Raises StackFileError where that is not possible."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(render_grants(grants), encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        file = f"{path.parent.name}/{path.name}"
        raise StackFileError([Problem("", f"cannot be written: {error.strerror}")], file) from None
