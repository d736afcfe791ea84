"""`headroom quota`: what Google Cloud has granted and was asked for, as committed data."""

from typing import TYPE_CHECKING

import typer

from headroom.cli.asides import aside, working
from headroom.cli.options import Stack

if TYPE_CHECKING:
    from headroom.planning.grants import Grants
    from headroom.planning.plan import Plan
    from headroom.planning.preflight import Needs

app = typer.Typer(
    name="quota",
    help="What Google Cloud has granted to a stack's project: quotas/<stack>.json.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("pull")
def pull(stack: Stack) -> None:
    """Ask the Cloud Quotas API what is granted and was asked for, and write quotas/<stack>.json.

    Kept are the quotas that the plan draws and those that headroom knows, of the stack's region and of the
    project as a whole. Commit the file: `headroom plan` compares with it, without credentials.

    Exit code 0: the file is written. 2: the stack file cannot be used. 3: Google could not be asked, and the
    file is as it was.

    Example: headroom quota pull -s dev
    """
    from headroom.cli.errors import google_errors
    from headroom.cli.project import find_stack_file
    from headroom.live.grants_file import grants_path, save_grants
    from headroom.planning.plan import plan_config
    from headroom.planning.preflight import derive_needs
    from headroom.spec.stack_file import load_config, load_neighbours

    path = find_stack_file(stack)
    config = load_config(path)
    neighbours = load_neighbours(config, path.parent)
    needs = derive_needs(plan_config(config, stack, path.name, neighbours=neighbours))
    with google_errors(f"the quotas of {needs.project} could not be asked: "):
        grants = _ask(needs)
    save_grants(grants_path(path.parent, stack), grants)
    _tell(stack, needs, grants)


@app.command("show")
def show(stack: Stack) -> None:
    """Print what quotas/<stack>.json says is granted and was asked for; no credentials, no network.

    Where the stack asks for quota, and a request that is there already has to be raised, the command is
    printed that takes it into the stack: without it `pulumi up` would make another, which Google refuses.

    Exit code 0: done. 2: there is no such file, or it or the stack file cannot be used.

    Example: headroom quota show -s dev
    """
    from headroom.cli.project import plan_stack
    from headroom.report.quota_table import print_grants
    from headroom.spec.errors import Problem, StackFileError

    found = plan_stack(stack)
    if (grants := found.grants) is None:
        problem = Problem("", f"there is no such file; run headroom quota pull -s {stack}")
        raise StackFileError([problem], f"quotas/{stack}.json")
    print_grants(grants, stack)
    _tell_requests(found.plan, grants)


@app.command("accept")
def accept(stack: Stack) -> None:
    """Write quotas/<stack>.promises.json: the headroom and the guarantees that the stack file promises now.

    What gets smaller is printed. The policies compare every change with that file, and refuse one that takes
    much of what it says, unless an exemption with owner, reason and expiry lets it pass. Commit it once what
    it says is agreed.

    Exit code 0: the file is written. 2: the stack file cannot be used, or what it promises does not fit.

    Example: headroom quota accept -s dev
    """
    from headroom.cli.project import plan_stack
    from headroom.live.promises_file import load_promises, promises_path, save_promises
    from headroom.planning.promises import find_cuts, list_promises
    from headroom.spec.errors import StackFileError

    found = plan_stack(stack)
    if found.plan.shortfalls and not found.plan.awaits_grants:
        raise StackFileError(found.plan.shortfalls, found.path.name)
    promises = list_promises(found.plan.tenancy.queues)
    target = promises_path(found.root, stack)
    cuts = find_cuts(load_promises(target) or (), promises)
    save_promises(target, promises)
    typer.echo(f"{target.parent.name}/{target.name}: {len(promises)} promises, {len(cuts)} of them cut")
    for cut, left in cuts:
        typer.echo(f"  {cut.queue}: {cut.resource} of {cut.flavor} from {cut.amount} to {left}")


def _tell_requests(planned: "Plan", grants: "Grants") -> None:
    from headroom.planning.cloud_quotas import list_imports
    from headroom.report.cloud_quotas_table import list_request_warnings, print_preferences
    from headroom.report.tables import make_console

    typer.echo()
    print_preferences(make_console(), grants.preferences or ())
    if planned.quota_requests is None:
        return
    for warning in list_request_warnings(planned.quota_requests, planned.environment):
        aside(f"warning: {warning}")
    if commands := list_imports(planned.quota_requests, planned.environment, planned.project):
        typer.echo("\nBefore `pulumi up` raises these, the stack must have them (does nothing if it does):")
        for command in commands:
            typer.echo(f"  {command}")


def _ask(needs: "Needs") -> "Grants":
    from headroom.live.connection import connect
    from headroom.live.preflight import pull_grants

    with working(f"asking the quotas of {needs.project}"):
        return pull_grants(connect(needs.project), needs)


def _tell(stack: str, needs: "Needs", grants: "Grants") -> None:
    from headroom.planning.grants import compare
    from headroom.report.quota_table import list_shortages, list_warnings

    asked = len(grants.preferences or ())
    typer.echo(
        f"quotas/{stack}.json: {len(grants.grants)} grants of {needs.project}; requests for more: {asked}"
    )
    standings = compare(needs.draws, grants)
    for warning in list_warnings(standings, grants, stack, grants.pulled):
        aside(f"warning: {warning}")
    for shortage in list_shortages(standings):
        typer.echo(f"short: {shortage}", err=True)
