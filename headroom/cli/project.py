"""Where the project is: the folder with Pulumi.yaml, at or above the one that the command runs in."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headroom.spec.errors import Problem, StackFileError

if TYPE_CHECKING:
    from headroom.planning.grants import Grants
    from headroom.planning.plan import Plan
    from headroom.spec.platform import Platform


@dataclass(frozen=True)
class PlannedStack:
    """A stack file, and what becomes of it."""

    path: Path
    config: dict[str, Any]
    grants: "Grants | None"
    plan: "Plan"

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.path.parent

    def point_to(self, problem: Problem) -> str:
        """Return a problem of the stack file with the line of its key."""
        from headroom.spec.lines import point_to

        return point_to(problem, self.path.name, self._lines)

    @cached_property
    def _lines(self) -> dict[str, int]:
        from headroom.spec.lines import find_lines

        return find_lines(self.path.read_text(encoding="utf-8", errors="replace"))

    @cached_property
    def platform(self) -> "Platform":
        """What the stack file says."""
        from headroom.spec.stack_file import parse_config

        return parse_config(self.config, self.path.name)


def find_root() -> Path:
    """Return the project's folder. Raises StackFileError where there is none."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "Pulumi.yaml").is_file():
            return folder
    raise StackFileError(
        [Problem("", "no Pulumi.yaml here or in a folder above; run headroom inside the project")]
    )


def find_stack_file(stack: str) -> Path:
    """Return the stack file of `stack`. Raises StackFileError, with the stacks that there are."""
    root = find_root()
    stacks = list_stacks(root)
    if stack not in stacks:
        known = ", ".join(stacks) or "none"
        raise StackFileError([Problem("", f"there is no such stack file; the stacks here: {known}")])
    return root / f"Pulumi.{stack}.yaml"


def describe_error(error: StackFileError) -> str:
    """Return every problem of an error: those of a stack file of this project with their lines."""
    from headroom.spec.lines import find_lines, point_to

    try:
        stack_files = {path.name: path for path in find_root().glob("Pulumi.*.yaml")}
        text = stack_files[error.file].read_text(encoding="utf-8", errors="replace")
    except (StackFileError, KeyError, OSError):
        return str(error)
    lines = find_lines(text)
    return "\n".join(point_to(problem, error.file, lines) for problem in error.problems)


def list_stacks(root: Path) -> list[str]:
    """Return the names of the stacks that have a file in the project's folder."""
    return sorted(path.name[len("Pulumi.") : -len(".yaml")] for path in root.glob("Pulumi.*.yaml"))


def plan_stack(stack: str, quotas_file: Path | None = None) -> PlannedStack:
    """Return the plan of a stack's file, within what quotas/<stack>.json, or `quotas_file`, says is granted.

    Raises StackFileError, with every reason, where the file or the grants cannot be used.
    """
    from headroom.live.grants_file import load_grants, load_stack_grants
    from headroom.planning.plan import plan_config
    from headroom.spec.stack_file import load_config, load_neighbours

    path = find_stack_file(stack)
    config = load_config(path)
    if quotas_file is None:
        grants = load_stack_grants(path.parent, stack, config)
    elif (grants := load_grants(quotas_file, str(config.get("gcp:project")))) is None:
        raise StackFileError([Problem("", "there is no such file")], str(quotas_file))
    neighbours = load_neighbours(config, path.parent)
    return PlannedStack(path, config, grants, plan_config(config, stack, path.name, grants, neighbours))
