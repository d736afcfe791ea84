"""Options that commands share: the same name, letter and words everywhere."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pathlib import Path


def complete_stack(incomplete: str) -> list[str]:
    """Return the stacks whose names begin so, for a shell to choose from."""
    from headroom.cli.project import find_root, list_stacks
    from headroom.spec.errors import StackFileError

    try:
        return [name for name in list_stacks(find_root()) if name.startswith(incomplete)]
    except StackFileError:
        return []


def complete_pipeline(context: typer.Context, incomplete: str) -> list[str]:
    """Return the pipelines, of the stack that is named, whose names begin so."""
    from headroom.cli.project import find_stack_file
    from headroom.spec.errors import StackFileError

    named = context.params.get("stack")
    try:
        names = _read_pipelines(find_stack_file(named)) if isinstance(named, str) else []
    except StackFileError:
        return []
    return [name for name in names if name.startswith(incomplete)]


def _read_pipelines(path: "Path") -> list[str]:
    from headroom.spec.stack_file import load_config

    pipelines: Any = load_config(path).get("headroom:pipelines")
    return list(pipelines) if isinstance(pipelines, dict) else []


Stack = Annotated[
    str,
    typer.Option(
        "--stack", "-s", envvar="PULUMI_STACK", help="Name of the stack.", autocompletion=complete_stack
    ),
]
ServingPipeline = Annotated[
    str,
    typer.Option("--pipeline", "-p", help="Name of the serving pipeline.", autocompletion=complete_pipeline),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
