"""`headroom alerts`: what is detected, and the proof that it is."""

from typing import TYPE_CHECKING, Annotated

import typer

from headroom.cli.asides import aside, working
from headroom.cli.options import AsJson, complete_stack

if TYPE_CHECKING:
    from headroom.alerts.rules import Rule
    from headroom.alerts.security_events import SecurityEvent

app = typer.Typer(
    name="alerts",
    help="What is alerted on: list it, explain it, test it, export it for any Prometheus.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


OptionalStack = Annotated[
    str | None,
    typer.Option("--stack", "-s", help="Stack whose channels are shown.", autocompletion=complete_stack),
]


@app.command("list")
def list_alerts(stack: OptionalStack = None, as_json: AsJson = False) -> None:
    """Print every alert, on metrics and on audit logs: how grave it is, how it notifies, what it tells, and
    which requirements it answers; with --stack those of that stack, and the channels by which it tells them.

    Exit code 0: done. 2: the stack file cannot be used.

    Examples:
      headroom alerts list --json

      headroom alerts list -s prod
    """
    from headroom.alerts.rules import load_rules
    from headroom.alerts.security_events import load_security_events
    from headroom.cli.project import plan_stack
    from headroom.report.alerts_table import describe_alerts, print_alerts

    rules, events = load_rules(), load_security_events()
    told = plan_stack(stack).plan.alerting.channels_by_alert if stack else None
    if told is not None:
        rules = tuple(rule for rule in rules if rule.name in told)
    if as_json:
        typer.echo(describe_alerts(rules, events, told))
    else:
        print_alerts(rules, events, told)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="ALERT", help="Name of the alert.")],
    as_json: AsJson = False,
) -> None:
    """Print all about one alert: its expression or filter, what it reads, its runbook.

    Exit code 0: done. 2: there is no such alert.

    Example: headroom alerts show ServingOutage
    """
    from headroom.alerts.contract import load_contract
    from headroom.report.alerts_table import describe_event, describe_rule, print_event, print_rule

    event = _find_event(name)
    if event:
        if as_json:
            typer.echo(describe_event(event))
        else:
            print_event(event)
        return
    rule = _require_rule(name)
    if as_json:
        typer.echo(describe_rule(rule, load_contract()))
    else:
        print_rule(rule, load_contract())


@app.command("test")
def run_tests(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="ALERT...", help="Alerts to test; by default all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove with promtool that each alert fires when it should, and only then.

    promtool is the one that HEADROOM_PROMTOOL names, one on PATH, or one that was built for the sandbox.

    Exit code 0: all passed. 1: something failed. 2: there is no such alert. 3: there is no promtool.

    Example: headroom alerts test ServingOutage TrainingFailed
    """
    from headroom.alerts.contract import load_contract
    from headroom.alerts.linting import check_rules
    from headroom.alerts.rules import load_rules
    from headroom.cli.promtool import require_promtool, run_scenarios
    from headroom.report.alerts_table import describe_results

    rules = [_require_rule(name) for name in names] if names else list(load_rules())
    problems = check_rules(load_rules(), load_contract())
    promtool = require_promtool("the scenarios were not run")
    with working("running the scenarios"):
        results = run_scenarios(promtool, rules)
    if as_json:
        typer.echo(describe_results(results))
    else:
        _tell(results)
    for problem in problems:
        typer.echo(str(problem), err=True)
    raise typer.Exit(1 if problems or any(results.values()) else 0)


@app.command("export")
def export(
    runbooks: Annotated[
        str,
        typer.Option("--runbooks", metavar="URL", help="Where the project's files can be read by people."),
    ] = "",
) -> None:
    """Print all rules on metrics as one Prometheus rule file; what audit logs tell is no rule of Prometheus.

    Example: headroom alerts export --runbooks https://git.example.com/ml/platform/blob/main > rules.yaml
    """
    from headroom.alerts.rules import load_rules, render_rules, resolve_runbooks

    if runbooks and not runbooks.startswith(("https://", "http://")):
        typer.echo("error: --runbooks: must be a URL that begins with https:// or http://", err=True)
        raise typer.Exit(2)
    if not runbooks:
        aside(
            "warning: links to runbooks are paths of this project; name where people read it: --runbooks URL"
        )
    typer.echo(render_rules(resolve_runbooks(load_rules(), runbooks)), nl=False)


@app.command("metrics")
def metrics() -> None:
    """Print the metrics contract as the page docs/metrics.md: what pipelines must export.

    Example: headroom alerts metrics > docs/metrics.md
    """
    from headroom.alerts.contract import load_contract
    from headroom.alerts.contract_page import render_contract
    from headroom.alerts.rules import load_rules

    typer.echo(render_contract(load_contract(), load_rules()), nl=False)


def _require_rule(name: str) -> "Rule":
    from headroom.alerts.rules import find_rule, load_rules
    from headroom.alerts.security_events import load_security_events
    from headroom.spec.errors import did_you_mean

    rules = load_rules()
    rule = find_rule(rules, name)
    if rule:
        return rule
    if _find_event(name):
        typer.echo(
            f"error: {name} is found in audit logs; promtool tests the alerts on metrics alone", err=True
        )
    else:
        hint = did_you_mean(name, [each.name for each in (*rules, *load_security_events())])
        typer.echo(f"error: there is no alert of that name{hint}; headroom alerts list has all", err=True)
    raise typer.Exit(2)


def _find_event(name: str) -> "SecurityEvent | None":
    from headroom.alerts.security_events import load_security_events

    return next((event for event in load_security_events() if event.name.lower() == name.lower()), None)


def _tell(results: dict[str, str]) -> None:
    for name, failure in results.items():
        typer.echo(f"{'FAILED' if failure else 'passed'}  {name}")
        for line in failure.splitlines():
            typer.echo(f"    {line}")
    failed = sum(bool(failure) for failure in results.values())
    typer.echo(f"\n{len(results) - failed} alerts passed, {failed} failed")
