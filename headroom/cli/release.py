"""`headroom release`: what Cloud Deploy is given to deliver a model, and what people do with it then."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headroom.cli.asides import aside
from headroom.cli.options import ServingPipeline, Stack
from headroom.cli.release_steps import advance, approve, audit, rollback, status
from headroom.cli.rollbacks import approve_rollbacks
from headroom.cli.simulate import simulate

if TYPE_CHECKING:
    from headroom.delivery.releases import ModelImage
    from headroom.planning.plan import Plan
    from headroom.spec.server import Server

app = typer.Typer(
    name="release",
    help="Releases of models: simulate, write and check them, approve them, let them go on, roll them back.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

app.command("simulate")(simulate)
app.command("status")(status)
app.command("approve")(approve)
app.command("advance")(advance)
app.command("rollback")(rollback)
app.command("audit")(audit)
app.command("approve-rollbacks")(approve_rollbacks)

FOLDER = "releases"

Folder = Annotated[
    Path | None,
    typer.Option("--folder", metavar="DIR", help="The release's files; by default releases/STACK/PIPELINE."),
]


@app.command("init")
def init(stack: Stack, pipeline: ServingPipeline) -> None:
    """Write releases/PIPELINE.yaml, which says how the server runs; change in it what differs.

    Exit code 0: done. 2: the pipeline is not delivered, or the file is there already.

    Example: headroom release init -s prod -p feed-serving
    """
    from headroom.cli.project import plan_stack
    from headroom.delivery.release_files import render_server_file
    from headroom.delivery.releases import require_rollout
    from headroom.spec.errors import Problem, StackFileError

    found = plan_stack(stack)
    root, planned = found.root, found.plan
    _, rollout = require_rollout(planned, pipeline, f"Pulumi.{stack}.yaml")
    path = _server_file(root, pipeline)
    if path.exists():
        raise StackFileError([Problem("", "is there already; change it as you like")], _shown(path, root))
    path.parent.mkdir(exist_ok=True)
    path.write_text(render_server_file(pipeline, rollout.model), encoding="utf-8")
    typer.echo(f"wrote {_shown(path, root)}")


@app.command("render")
def render(
    stack: Stack,
    pipeline: ServingPipeline,
    model_version: Annotated[
        str, typer.Option("--model-version", help="The version: the tag of its image in the registry.")
    ],
    image: Annotated[
        str | None,
        typer.Option("--image", help="The image that this must be, NAME@sha256:DIGEST; by default any."),
    ] = None,
    folder: Folder = None,
) -> None:
    """Write the release of a version: a Skaffold configuration, the manifests of each phase, the validation.

    The models' registry is asked which image the version is, and the manifests name it by its digest. A
    version exists when the registry has an image of that tag: tags cannot be moved there.

    Exit code 0: done; how to release it is printed. 2: the version does not exist, is another image,
    or the stack file or releases/PIPELINE.yaml cannot be used. 3: the registry could not be asked.

    Example: headroom release render -s prod -p feed-serving --model-version 7
    """
    from headroom.cli.project import plan_stack
    from headroom.delivery.commands import name_release, release_command
    from headroom.delivery.release_files import render_release, write_release
    from headroom.delivery.releases import plan_release

    found = plan_stack(stack)
    root, planned = found.root, found.plan
    server, model = _find_model(root, planned, pipeline, model_version, image)
    release = plan_release(planned, pipeline, server, model, f"Pulumi.{stack}.yaml")
    target = folder or _release_folder(root, stack, pipeline)
    write_release(target, render_release(release))
    typer.echo(f"wrote {_shown(target, root)}: {model.name}, version {model.version}, {model.digest}")
    typer.echo("release it with")
    typer.echo(release_command(planned, pipeline, name_release(model.version), _shown(target, root)))


@app.command("check")
def check(stack: Stack, pipeline: ServingPipeline, folder: Folder = None) -> None:
    """Compare a release's files with what the stack file and releases/PIPELINE.yaml say now. Asks nobody.

    Exit code 0: they are the same. 1: they differ, and how is printed. 2: there is no release, or it cannot
    be used: an image by its tag, or one that is not of the environment's registry.

    Example: headroom release check -s prod -p feed-serving
    """
    from headroom.cli.project import plan_stack
    from headroom.delivery.release_files import compare_release, read_model, render_release
    from headroom.delivery.releases import name_image, plan_release, require_rollout
    from headroom.spec.server import load_server

    found = plan_stack(stack)
    root, planned = found.root, found.plan
    delivery, _ = require_rollout(planned, pipeline, f"Pulumi.{stack}.yaml")
    server = load_server(_server_file(root, pipeline))
    target = folder or _release_folder(root, stack, pipeline)
    model = read_model(target, name_image(delivery, server))
    release = plan_release(planned, pipeline, server, model, f"Pulumi.{stack}.yaml")
    problems = compare_release(target, render_release(release))
    for problem in problems:
        typer.echo(f"{_shown(target, root)}: {problem}", err=True)
    if problems:
        aside(f"hint: headroom release render -s {stack} -p {pipeline} --model-version {model.version}")
        raise typer.Exit(1)


def _find_model(
    root: Path, planned: "Plan", pipeline: str, version: str, image: str | None
) -> "tuple[Server, ModelImage]":
    from headroom.delivery.releases import (
        name_image,
        require_digest,
        require_model,
        require_rollout,
        require_version,
    )
    from headroom.spec.server import load_server

    delivery, _ = require_rollout(planned, pipeline, f"Pulumi.{planned.environment}.yaml")
    server = load_server(_server_file(root, pipeline))
    name = name_image(delivery, server)
    version = require_version(version)
    given = require_digest(image, name) if image else None
    return server, require_model(version, name, _ask_digest(planned.project, name, version), given)


def _ask_digest(project: str, name: str, version: str) -> str | None:
    from headroom.cli.errors import google_errors
    from headroom.live.connection import connect
    from headroom.live.images import find_digest

    with google_errors():
        return find_digest(connect(project), name, version)


def _server_file(root: Path, pipeline: str) -> Path:
    return root / FOLDER / f"{pipeline}.yaml"


def _release_folder(root: Path, stack: str, pipeline: str) -> Path:
    return root / FOLDER / stack / pipeline


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
