"""What is wrong with a stack file: every problem at once, with its key, its cause and what would be right.

The values of a stack file are never repeated: one of them may be a secret.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headroom.spec.platform import Platform


MOST_SUGGESTED_FROM = 1_000
"""Beyond so many names none is suggested: with as many mistakes it would take minutes."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong: where (a dotted key, empty for the whole file) and what."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class StackFileError(Exception):
    """A stack file that cannot be used; `problems` has every reason, `file` the name of the file."""

    def __init__(
        self, problems: Iterable[Problem], file: str = "", remainder: "Platform | None" = None
    ) -> None:
        self.problems = tuple(sorted(set(problems)))
        self.file = file
        self.remainder = remainder
        """The platform without the entries that have problems, where one is left; for further checks."""
        super().__init__(str(self))

    def __str__(self) -> str:
        prefix = f"{self.file}: " if self.file else ""
        return "\n".join(f"{prefix}{problem}" for problem in self.problems)


def did_you_mean(given: object, valid: Iterable[str]) -> str:
    """Return `; did you mean X?` for the valid name nearest to `given`, or an empty text."""
    names = list(valid)
    if not isinstance(given, str) or len(given) > 64 or len(names) > MOST_SUGGESTED_FROM:
        return ""
    near = get_close_matches(given.lower(), names, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


def suggest(given: object, valid: Iterable[str]) -> str:
    """Return the nearest valid name, as `did_you_mean` does, or else all of them where they are few."""
    names = sorted(valid)
    choices = f"; choose one of {', '.join(names)}" if 0 < len(names) <= 12 else ""
    return did_you_mean(given, names) or choices


def join_path(parts: Iterable[str | int]) -> str:
    """Return a dotted key, `headroom:pools.h100.zones[0]`, in which no part can garble a terminal."""
    path = ""
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            shown = part if part.isprintable() and len(part) <= 64 else ascii(part)[1:60] + "..."
            path += f".{shown}" if path else shown
    return path


def trace_path(location: Iterable[str | int], data: Any) -> list[str | int]:
    """Return the keys of `location` that the file itself has, leaving out the tags of unions."""
    keys: list[str | int] = []
    parts = [part for part in location if part != "[key]"]
    for number, part in enumerate(parts):
        if _holds(data, part):
            keys.append(part)
            data = data[part]
        elif number == len(parts) - 1 and isinstance(data, Mapping):
            keys.append(part)
    return keys


def _holds(data: Any, part: str | int) -> bool:
    if isinstance(data, Mapping):
        return part in data
    return isinstance(data, list | tuple) and isinstance(part, int) and part < len(data)
