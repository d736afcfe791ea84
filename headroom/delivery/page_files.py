"""The pages about deliveries as files: written, and compared with what they should be."""

from collections.abc import Mapping
from pathlib import Path

from headroom.delivery.release_files import has_text
from headroom.spec.errors import Problem, StackFileError

FOLDER = "docs/delivery"


def write_pages(root: Path, stack: str, pages: Mapping[str, str]) -> tuple[str, ...]:
    """Write the pages of a stack, remove those of models that are delivered no more; return their names.

    Raises StackFileError where they cannot be written, such as where a file is in the place of the folder.
    """
    folder = root / FOLDER / stack
    try:
        if pages:
            folder.mkdir(parents=True, exist_ok=True)
        for model, text in pages.items():
            (folder / f"{model}.md").write_text(text, encoding="utf-8")
        for path in _find_others(folder, pages):
            path.unlink()
    except OSError as error:
        problem = Problem("", f"cannot be written: {error.strerror}; remove what is in its place")
        raise StackFileError([problem], f"{FOLDER}/{stack}") from None
    return tuple(f"{FOLDER}/{stack}/{model}.md" for model in pages)


def compare_pages(root: Path, stack: str, pages: Mapping[str, str]) -> tuple[Problem, ...]:
    """Return the pages that are not what they should be: changed, missing, or of no delivered model."""
    folder, problems = root / FOLDER / stack, []
    for model, text in pages.items():
        name, path = f"{FOLDER}/{stack}/{model}.md", folder / f"{model}.md"
        if not path.is_file():
            problems.append(Problem(name, "is not there"))
        elif not has_text(path, text):
            problems.append(Problem(name, f"differs from what Pulumi.{stack}.yaml says now"))
    problems += [
        Problem(f"{FOLDER}/{stack}/{path.name}", "is about no model that is delivered")
        for path in _find_others(folder, pages)
    ]
    return tuple(problems)


def _find_others(folder: Path, pages: Mapping[str, str]) -> list[Path]:
    return [path for path in sorted(folder.glob("*.md")) if path.stem not in pages]
