"""Verbs of `headroom sandbox` that look at the imitated cloud and change it behind Pulumi's back."""

import json
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headroom.cli.errors import user_errors
from headroom.cli.options import AsJson

if TYPE_CHECKING:
    from sandbox.google.store import Store
    from sandbox.google.world import World

Times = Annotated[int, typer.Option(help="How often; -1: without end.")]


def show(
    everything: Annotated[bool, typer.Option("--all", help="With all properties (only in --json).")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what the imitated cloud and its clusters hold: objects, quotas, faults that can strike, the pace.

    Example: headroom sandbox show --json | jq '.objects[].id'
    """
    with open_world() as world:
        content = _describe(world, everything)
    if as_json:
        typer.echo(json.dumps(content, indent=2))
        return
    from headroom.report.world_table import print_world

    print_world(content)


def drift(
    identity: Annotated[str, typer.Argument(metavar="ID", help="An object's id, or the end of one.")],
    path: Annotated[str, typer.Argument(help="Dotted path of the property.")],
    value: Annotated[str, typer.Argument(help="Its new value, as JSON; anything else is text.")],
) -> None:
    """Change a property of an object by hand, as somebody with the console would.

    Example: headroom sandbox drift nodePools/cpu-3e4589 autoscaling.totalMaxNodeCount 40
    """
    from sandbox.google.apis.by_hand import check_drift

    with open_world() as world:
        check_drift(world.find(identity), path, _read_value(value))
        changed = world.drift(identity, path, _read_value(value))
    typer.echo(f"changed {path} of {changed.id}")


def remove(identity: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Delete an object by hand, without asking anybody.

    Example: headroom sandbox remove projects/acme-ml-dev/global/networks/dev
    """
    with open_world() as world:
        gone = world.remove(identity)
    typer.echo(f"removed {gone.id}")


def quota(
    name: Annotated[
        str | None, typer.Argument(help="ID/REGION or ID/global, then any /dimension=value.")
    ] = None,
    limit: Annotated[float | None, typer.Argument(help="What is granted.")] = None,
    request: Annotated[int | None, typer.Option(help="Ask for so much, as with the console.")] = None,
    called: Annotated[str, typer.Option(help="What that request is called.")] = "made-in-the-console",
    answer: Annotated[
        str | None, typer.Option(help="How requests are answered from now on: at-once, partly or later.")
    ] = None,
    project: Annotated[str | None, typer.Option(help="By default the one that the world knows.")] = None,
) -> None:
    """Grant a quota, ask for one by hand, or set how requests are answered; at first later, by a grant.

    Examples:
      headroom sandbox quota PREEMPTIBLE-NVIDIA-L4-GPUS-per-project-region/us-central1 8

      headroom sandbox quota PREEMPTIBLE-NVIDIA-L4-GPUS-per-project-region/us-central1 --request 16

      headroom sandbox quota --answer partly
    """
    from sandbox.google.apis.by_hand import check_quota_name

    if (name is None) != (limit is None and request is None) or (name is None and answer is None):
        typer.echo("error: say a quota with a limit or --request, or --answer; see --help", err=True)
        raise typer.Exit(2)
    with open_world() as world:
        if answer is not None:
            world.answer_requests(answer)
            typer.echo(f"requests are answered {answer}")
        if name is None:
            return
        check_quota_name(name)
        chosen = project or _only_project(world)
        if request is not None:
            made = world.request_quota(chosen, name, request, called)
            typer.echo(f"asked for {request} of {name}: {made.id}")
        if limit is not None:
            world.set_quota(chosen, name, limit)
            typer.echo(f"{name} is {limit:g}")


def enable(
    apis: Annotated[list[str], typer.Argument(metavar="API...", help="Such as compute.googleapis.com.")],
    project: Annotated[str | None, typer.Option(help="By default the one that the world knows.")] = None,
) -> None:
    """Enable APIs in a project by hand, as `gcloud services enable` does.

    Example: headroom sandbox enable compute.googleapis.com container.googleapis.com --project=acme-ml-dev
    """
    from sandbox.google.apis.admin import enable_apis
    from sandbox.google.apis.by_hand import check_apis

    with open_world() as world:
        check_apis(apis)
        chosen = project or _only_project(world)
        with _open_store() as store:
            enable_apis(store, chosen, apis)
    typer.echo(f"enabled in {chosen}: {', '.join(apis)}")


def bucket(
    name: Annotated[str | None, typer.Argument(help="By default PROJECT-pulumi-state.")] = None,
    project: Annotated[str | None, typer.Option(help="By default the one that the world knows.")] = None,
) -> None:
    """Make the bucket for Pulumi's state by hand: versioned, private, with uniform access.

    Example: headroom sandbox bucket --project=acme-ml-dev
    """
    from sandbox.google.apis.admin import make_bucket

    with open_world() as world:
        chosen = project or _only_project(world)
        with _open_store() as store:
            make_bucket(store, chosen, name or f"{chosen}-pulumi-state")
    typer.echo(f"made gs://{name or f'{chosen}-pulumi-state'} in {chosen}")


def fault(
    kind: Annotated[
        str, typer.Argument(help="429, 503, timeout, timeout-after, lost-answer, crash or crash-after.")
    ],
    operation: Annotated[str, typer.Option(help="create, read, update, delete or *.")] = "*",
    token: Annotated[str, typer.Option("--type", help="A resource type's token, or *.")] = "*",  # noqa: S107 - a type's token
    rate: Annotated[float, typer.Option(help="Probability at each call.")] = 1.0,
    at: Annotated[int, typer.Option(help="At just that call, counted from now; 0: at any.")] = 0,
    times: Times = 1,
) -> None:
    """Let something go wrong.

    Examples:
      headroom sandbox fault 503 --rate 0.05 --times -1

      headroom sandbox fault crash --at 12
    """
    with open_world() as world:
        world.inject(kind, operation, token, rate, at, times)
    typer.echo(f"{kind} will strike; `headroom sandbox calm` ends it")


def calm() -> None:
    """Let nothing go wrong any more: forget every fault that was set.

    Example: headroom sandbox calm
    """
    with open_world() as world:
        world.clear_faults()
    typer.echo("no fault is left")


def pace(
    seed: Annotated[str | None, typer.Option(help="Chooses delays, order and faults.")] = None,
    scale: Annotated[float | None, typer.Option(help="Seconds that one of Google's takes; 0: none.")] = None,
) -> None:
    """Set how late the imitated cloud is, and in which order things end.

    Example: headroom sandbox pace --seed 7 --scale 0.01
    """
    with open_world() as world:
        world.set_pace(seed, scale)
        now = world.pace()
    typer.echo(f"seed {now.seed}, scale {now.scale:g}")


def run(
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND", help="What to run.")],
) -> None:
    """Run a headroom command that asks Google's APIs: the imitated cloud answers it, and takes no changes.

    Any other command runs as it is, without the variables that name credentials, backends or clouds, and with
    no credentials for gcloud and Google's libraries. That is no wall: what finds credentials elsewhere can
    use them.

    Example: headroom sandbox run -- headroom preflight -s dev
    """
    from sandbox.engine.workspace import open_sandbox
    from sandbox.google.apis.server import serve

    program = shutil.which(command[0]) or _beside_this_command(command[0])
    if program is None:
        typer.echo(f"error: there is no command {command[0]}", err=True)
        raise typer.Exit(2)
    with user_errors():
        sandbox = open_sandbox(Path.cwd())
        sandbox.make_folder()
        with serve(sandbox.cloud) as endpoint:
            environment = sandbox.environment_apart() | {"HEADROOM_GOOGLE_ENDPOINT": endpoint}
            done = subprocess.run([program, *command[1:]], env=environment, check=False)  # noqa: S603
    raise typer.Exit(done.returncode)


def _beside_this_command(name: str) -> str | None:
    return shutil.which(name, path=str(Path(sys.executable).parent))


@contextmanager
def open_world() -> Generator["World"]:
    """The imitated cloud of this project's sandbox; what cannot be done ends with exit code 2."""
    import sqlite3

    from sandbox.engine.errors import SandboxError
    from sandbox.engine.workspace import open_sandbox
    from sandbox.google.world import World, WorldError

    with user_errors():
        sandbox = open_sandbox(Path.cwd())
        sandbox.make_folder()
        try:
            yield World(sandbox.cloud)
        except sqlite3.Error as error:
            remedy = "`headroom sandbox reset` makes it anew, HEADROOM_SANDBOX names another folder"
            raise SandboxError(f"{sandbox.cloud} cannot be used: {error}; {remedy}") from None
        except WorldError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(2) from None


@contextmanager
def _open_store() -> Generator["Store"]:
    """The objects of the same cloud, for what admins do besides Pulumi."""
    from sandbox.engine.workspace import open_sandbox
    from sandbox.google.store import Store

    store = Store(open_sandbox(Path.cwd()).cloud)
    try:
        yield store
    finally:
        store.close()


def _describe(world: "World", everything: bool) -> dict[str, Any]:
    from sandbox.engine.workspace import open_sandbox
    from sandbox.kubernetes.listing import list_objects

    objects = [
        {"type": item.type, "id": item.id, "status": item.status}
        | ({"properties": item.properties} if everything else {})
        for item in world.objects()
    ]
    projects = sorted({item.project for item in world.objects()})
    now = world.pace()
    return {
        "objects": objects,
        "cluster_objects": [
            {"cluster": each.cluster, "type": each.type, "id": each.id}
            | ({"content": each.content} if everything else {})
            for each in list_objects(open_sandbox(Path.cwd()).cloud)
        ],
        "quotas": [
            {"project": project, "name": each.name, "limit": each.limit, "drawn": each.drawn}
            for project in projects
            for each in world.quotas(project)
        ],
        "faults": [
            {
                "kind": each.kind,
                "operation": each.operation,
                "type": each.type,
                "rate": each.rate,
                "at": each.at,
                "remaining": each.remaining,
            }
            for each in world.faults()
        ],
        "pace": {"seed": now.seed, "scale": now.scale},
    }


def _only_project(world: "World") -> str:
    projects = sorted({item.project for item in world.objects()})
    if len(projects) != 1:
        known = ", ".join(projects) or "none yet"
        typer.echo(f"error: which project? The world knows {known}; say --project", err=True)
        raise typer.Exit(2)
    return projects[0]


def _read_value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text
