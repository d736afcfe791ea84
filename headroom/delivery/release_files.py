"""A release as files: written, read back, and compared with what the stack file says now."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template
from typing import Any

import yaml

from headroom.delivery.manifests import render_place, render_requests
from headroom.delivery.releases import ModelImage, ReleasePlan, require_digest, require_version
from headroom.delivery.skaffold import REQUESTS_FILE, render_skaffold
from headroom.spec.errors import Problem, StackFileError
from headroom.spec.yaml_reader import YamlError, read_yaml

SKAFFOLD_FILE = "skaffold.yaml"

_RENDER = "headroom release render -s STACK -p PIPELINE --model-version VERSION writes one"
_HEAD = "# Written by `headroom release render`, and overwritten by it.\n"
_START = Path(__file__).parent / "templates" / "server.yaml"


def render_release(release: ReleasePlan) -> dict[str, str]:
    """Return the text of each file of a release, by name."""
    places = {f"{place.profile}.yaml": render_place(release, place) for place in release.places}
    return {
        SKAFFOLD_FILE: _dump([render_skaffold(release)]),
        REQUESTS_FILE: _dump([render_requests(release)]),
    } | {name: _dump(manifests) for name, manifests in places.items()}


def write_release(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files into the folder, which is made, in the place of any release that it has.

    Raises StackFileError where it cannot be written, such as where a file has its name.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        problem = Problem("", f"cannot be written: {error.strerror}; name another folder")
        raise StackFileError([problem], str(folder)) from None


def read_model(folder: Path, name: str) -> ModelImage:
    """Return the model of a release in a folder, which must be an image called `name`, by digest.

    Raises StackFileError where there is no release, or one of something else.
    """
    file = str(folder / SKAFFOLD_FILE)
    try:
        document = read_yaml((folder / SKAFFOLD_FILE).read_bytes())
        annotations = document["metadata"]["annotations"]
        version, image = annotations["headroom/model-version"], annotations["headroom/image"]
    except FileNotFoundError:
        raise StackFileError([Problem("", f"there is no such file; {_RENDER}")], file) from None
    except (OSError, YamlError, KeyError, TypeError):
        hint = f"is no release that headroom rendered; {_RENDER}"
        raise StackFileError([Problem("", hint)], file) from None
    try:
        return ModelImage(require_version(str(version)), name, require_digest(str(image), name))
    except StackFileError as error:
        raise StackFileError(
            [Problem("metadata.annotations", p.message) for p in error.problems], file
        ) from None


def compare_release(folder: Path, files: Mapping[str, str]) -> tuple[Problem, ...]:
    """Return how the files of a folder differ from what they should be: changed, missing, or not of it.

    Raises StackFileError where a file cannot be read.
    """
    found = {path.name for path in folder.glob("*.yaml")}
    problems = [
        Problem(name, "differs from what the stack file and releases/ say now")
        for name, text in files.items()
        if name in found and not has_text(folder / name, text)
    ]
    problems += [Problem(name, "is not there") for name in files if name not in found]
    problems += [Problem(name, "is no file of the release; remove it") for name in found - files.keys()]
    return tuple(sorted(problems))


def has_text(path: Path, text: str) -> bool:
    """Return whether a file is this text; what is not UTF-8 is none. Raises StackFileError if unreadable."""
    try:
        return path.read_text(encoding="utf-8") == text
    except UnicodeDecodeError:
        return False
    except OSError as error:
        raise StackFileError([Problem("", f"cannot be read: {error.strerror}")], str(path)) from None


def render_server_file(pipeline: str, model: str) -> str:
    """Return a file of `releases/` to begin with."""
    return Template(_START.read_text(encoding="utf-8")).substitute(pipeline=pipeline, model=model)


def _dump(documents: Iterable[Mapping[str, Any]]) -> str:
    return _HEAD + yaml.safe_dump_all(documents, sort_keys=False, width=120, allow_unicode=True)
