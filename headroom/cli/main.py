"""The `headroom` command: parses, calls, renders; each command imports what it needs when it runs."""

import sys
from typing import Annotated

import typer

from headroom.cli.advise import advise
from headroom.cli.alerts import app as alerts
from headroom.cli.asides import add_quiet
from headroom.cli.audit import audit
from headroom.cli.check import check
from headroom.cli.demo import demo
from headroom.cli.diff import diff
from headroom.cli.docs import docs
from headroom.cli.estimate import estimate
from headroom.cli.help import reflow_help
from headroom.cli.plan import plan
from headroom.cli.preflight import preflight
from headroom.cli.project import describe_error
from headroom.cli.quota import app as quota
from headroom.cli.release import app as release
from headroom.cli.sandbox import app as sandbox
from headroom.cli.schema import schema
from headroom.spec.errors import StackFileError

app = typer.Typer(
    name="headroom",
    help="Shared accelerator quota for ML pipelines on Google Cloud: plan it, provision it, guard it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(plan)
app.command()(check)
app.command()(diff)
app.command()(estimate)
app.command()(preflight)
app.command()(advise)
app.command()(audit)
app.add_typer(quota, name="quota")
app.add_typer(alerts, name="alerts")
app.add_typer(release, name="release")
app.command()(docs)
app.command()(schema)
app.command()(demo)
app.add_typer(sandbox, name="sandbox")


def _tell_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"headroom {version('headroom')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command; what is wrong with the input ends it with exit code 2 and no traceback."""
    command = typer.main.get_command(app)
    add_quiet(command)
    reflow_help(command)
    try:
        command()
    except StackFileError as error:
        typer.echo(describe_error(error), err=True)
        sys.exit(2)
    except OSError as error:
        typer.echo(f"error: {error.strerror or error}", err=True)
        sys.exit(2)
