"""From the configuration that Pulumi hands to a program to the plan."""

import pulumi
import pulumi.runtime.config as runtime_config

from headroom.planning.plan import Plan, plan_config
from headroom.spec.stack_file import decode_config

ALREADY_SHOWN = 32
"""The exit code by which a Python program tells Pulumi that its error has been shown."""


def load_plan() -> Plan:
    """Return the plan of the stack that is being deployed. Raises StackFileError."""
    stack = pulumi.get_stack()
    return plan_config(read_config(), stack, f"Pulumi.{stack}.yaml")


def read_config() -> dict[str, object]:
    """Return the whole configuration of the stack, objects of the project's namespace decoded.

    Reads every key, so that one that was set by mistake is refused; `pulumi.Config` offers a program only the
    keys that it asks for.
    """
    raw = runtime_config.CONFIG.get() or runtime_config.get_config_env()
    return decode_config(raw, f"{pulumi.get_project()}:")
