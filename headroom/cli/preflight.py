"""`headroom preflight`: whether the Google Cloud project is ready for the first `pulumi up`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headroom.cli.asides import working
from headroom.cli.options import Stack

if TYPE_CHECKING:
    from headroom.planning.preflight import Check, Needs


def preflight(
    stack: Stack,
    state: Annotated[
        str | None,
        typer.Option(
            "--state",
            envvar="PULUMI_BACKEND_URL",
            metavar="URL",
            help="Where Pulumi keeps the state; else backend.url of Pulumi.yaml, else gs://PROJECT-pulumi-state.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Ask Google Cloud whether all is there that the stack needs; nothing is changed.

    Credentials are the application default ones. Asked are the project, billing, roles, APIs, organization
    policies, zones, machines, reservations, quotas, owners' groups and the bucket of the state. What is
    missing comes with the command that mends it.

    Exit code 0: all is there. 1: something is missing. 2: the stack file cannot be used. 3: nothing is known
    to be missing, but something could not be asked (no credentials, no way there, not allowed) or is unknown.

    Examples:
      headroom preflight -s dev

      headroom preflight -s prod --json | jq -r '.checks[] | select(.state == "missing") | .remedy'
    """
    from headroom.cli.project import find_stack_file
    from headroom.planning.plan import plan_config
    from headroom.planning.preflight import derive_needs, exit_code
    from headroom.report.preflight_table import print_preflight, render_preflight
    from headroom.spec.stack_file import load_config, load_neighbours

    path = find_stack_file(stack)
    config = load_config(path)
    neighbours = load_neighbours(config, path.parent)
    needs = derive_needs(plan_config(config, stack, path.name, neighbours=neighbours))
    checks = _ask(needs, state or _find_backend(path.parent))
    if as_json:
        sys.stdout.write(render_preflight(stack, needs.project, checks, needs.example_addresses) + "\n")
    else:
        print_preflight(stack, needs.project, checks, needs.example_addresses)
    raise typer.Exit(exit_code(checks))


def _ask(needs: "Needs", state: str | None) -> "tuple[Check, ...]":
    from headroom.live.connection import EndpointError
    from headroom.live.preflight import run_preflight

    try:
        with working(f"asking Google Cloud of {needs.project}"):
            return run_preflight(needs, state)
    except EndpointError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None


def _find_backend(root: Path) -> str | None:
    from headroom.spec.errors import Problem, StackFileError
    from headroom.spec.yaml_reader import YamlError, read_yaml

    try:
        project = read_yaml((root / "Pulumi.yaml").read_bytes())
    except (OSError, YamlError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StackFileError([Problem("", f"cannot be read: {reason}")], "Pulumi.yaml") from None
    backend = project.get("backend") if isinstance(project, dict) else None
    url = backend.get("url") if isinstance(backend, dict) else None
    return url if isinstance(url, str) else None
