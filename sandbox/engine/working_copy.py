"""Lays out a copy of a project: links to its files, and copies of those that Pulumi writes to."""

import os
import re
import shutil
from pathlib import Path

from sandbox.engine.cache import replace_file
from sandbox.engine.stack_files import find_stack_files, read_settings

# `.git` stays behind: the sandbox neither reads nor writes the history.
NOT_LINKED = {".git", "Pulumi.yaml"}

# An environment that a program below the project's root shares with it (`virtualenv: ../.venv`).
_OUTSIDE_ENVIRONMENT = re.compile(r"^\s*virtualenv:\s*['\"]?(\.\./[^'\"#\s]+)", re.MULTILINE)


def link_project(project: Path, folder: Path) -> None:
    """Make `folder` show the project as it is now: links to all but the stack files, a copy of Pulumi.yaml.

    Links whose target is gone from the project go too.
    """
    left_out = NOT_LINKED | {path.name for path in find_stack_files(project).values()}
    wanted = {path.name: path for path in project.iterdir() if path.name not in left_out}
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in wanted.items():
        _link(folder / name, path)
    for path in folder.iterdir():
        if path.is_symlink() and path.name not in wanted:
            path.unlink()
    settings = read_settings(project / "Pulumi.yaml")
    replace_file(folder / "Pulumi.yaml", settings)
    if outside := _OUTSIDE_ENVIRONMENT.search(settings):
        _link(Path(os.path.normpath(folder / outside[1])), Path(os.path.normpath(project / outside[1])))


def copy_project(project: Path, folder: Path) -> Path:
    """A project of its own in `folder`, whose stack files can be edited without touching the original."""
    link_project(project, folder)
    for path in find_stack_files(project).values():
        replace_file(folder / path.name, read_settings(path))
    return folder


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    if link.is_symlink() or link.is_file():
        link.unlink()
    elif link.is_dir():
        shutil.rmtree(link)
    link.symlink_to(target)
