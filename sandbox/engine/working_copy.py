"""Lays out a copy of a project: links to its files, and copies of those that Pulumi writes to."""

import shutil
from pathlib import Path

from sandbox.engine.cache import replace_file
from sandbox.engine.stack_files import find_stack_files, read_settings

# `.git` stays behind: the sandbox neither reads nor writes the history.
NOT_LINKED = {".git", "Pulumi.yaml"}


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
    replace_file(folder / "Pulumi.yaml", read_settings(project / "Pulumi.yaml"))


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
