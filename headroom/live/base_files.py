"""Reads a stack as it was before a change: at a commit of git, or from another stack file."""

import fnmatch
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from headroom.spec.errors import Problem, StackFileError

_STACK_FILES = "Pulumi.*.yaml"
"""All of them: one may name others, as regions of its deliveries."""
_BESIDE = ("Pulumi.yaml", "baselines.yaml")


@contextmanager
def open_base(root: Path, stack: str, base: str) -> Generator[Path | None]:
    """Give a folder that holds the stack's files as `base` has them; None where it has no such stack.

    `base` is a stack file, beside which all else is as it is now, or what git calls a commit. Raises
    StackFileError where it is neither.
    """
    with TemporaryDirectory(prefix="headroom-base-") as made:
        folder = Path(made)
        stack_file = f"Pulumi.{stack}.yaml"
        grants = f"quotas/{stack}.json"
        if Path(base).is_file():
            others = [path.name for path in root.glob(_STACK_FILES)]
            for name in (*_BESIDE, grants, *others):
                _copy(root / name, folder / name)
            _copy(Path(base), folder / stack_file)
            yield folder
            return
        commit = _find_commit(root, base)
        for name in (*_BESIDE, grants, *_list_stack_files(root, commit)):
            _show(root, commit, name, folder / name)
        yield folder if (folder / stack_file).is_file() else None


def _copy(source: Path, target: Path) -> None:
    if source.is_file():
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(source, target)


def _find_commit(root: Path, base: str) -> str:
    # `--end-of-options`: what begins with a hyphen is no option of git's.
    done = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}")
    if done.returncode != 0:
        problem = Problem(
            "--base",
            "is neither a file nor a commit that git knows here; name one such as origin/main, and fetch it "
            "where the clone is shallow",
        )
        raise StackFileError([problem])
    return done.stdout.decode().strip()


def _list_stack_files(root: Path, commit: str) -> list[str]:
    listed = _git(root, "ls-tree", "--name-only", commit, "--", "./")
    return fnmatch.filter(listed.stdout.decode().splitlines(), _STACK_FILES)


def _show(root: Path, commit: str, name: str, target: Path) -> None:
    """Write a file as the commit has it, or nothing where it has none; names are the project's."""
    listed = _git(root, "ls-tree", "--name-only", commit, "--", name)
    if listed.returncode == 0 and listed.stdout.strip():
        shown = _git(root, "show", f"{commit}:./{name}")
        if shown.returncode == 0:
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(shown.stdout)
            return
        raise StackFileError([Problem("", f"{name} cannot be read from git at --base")])


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=False)  # noqa: S603, S607
    except OSError as error:
        problem = Problem("--base", f"git cannot be run: {error.strerror}; name a stack file instead")
        raise StackFileError([problem]) from None
