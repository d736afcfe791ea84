"""Where the project is: the folder with Pulumi.yaml, at or above the one that the command runs in."""

from pathlib import Path

from headroom.spec.errors import Problem, StackFileError


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
    stacks = sorted(path.name[len("Pulumi.") : -len(".yaml")] for path in root.glob("Pulumi.*.yaml"))
    if stack not in stacks:
        known = ", ".join(stacks) or "none"
        raise StackFileError([Problem("", f"there is no such stack file; the stacks here: {known}")])
    return root / f"Pulumi.{stack}.yaml"
