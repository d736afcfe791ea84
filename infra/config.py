"""From the configuration that Pulumi hands to a program to the plan."""

from pathlib import Path

import pulumi
import pulumi.runtime.config as runtime_config

from headroom.live.grants_file import load_stack_grants
from headroom.planning.plan import Plan, plan_config
from headroom.spec.errors import StackFileError
from headroom.spec.stack_file import add_baselines, decode_config, load_neighbours

_ROOT = Path(__file__).resolve().parent.parent

ALREADY_SHOWN = 32
"""The exit code by which a Python program tells Pulumi that its error has been shown."""


def load_plan() -> Plan:
    """Return the plan of the stack that is being deployed. Raises StackFileError."""
    stack, file = pulumi.get_stack(), f"Pulumi.{pulumi.get_stack()}.yaml"
    config = add_baselines(read_config(), _ROOT)
    grants = load_stack_grants(_ROOT, stack, config)
    neighbours = load_neighbours(config, Path(pulumi.get_root_directory()))
    plan = plan_config(config, stack, file, grants, neighbours)
    if plan.shortfalls and not plan.awaits_grants:
        raise StackFileError(plan.shortfalls, file)
    return plan


def read_config() -> dict[str, object]:
    """Return the whole configuration of the stack, objects of the project's namespace decoded.

    Reads every key, so that one that was set by mistake is refused; `pulumi.Config` offers a program only the
    keys that it asks for.
    """
    raw = runtime_config.CONFIG.get() or runtime_config.get_config_env()
    return decode_config(raw, f"{pulumi.get_project()}:")
