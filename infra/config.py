"""From the configuration that Pulumi hands to the program to the plan."""

import pulumi
import pulumi.runtime.config as runtime_config

from headroom.planning.plan import Plan, plan_config
from headroom.spec.stack_file import decode_config


def load_plan() -> Plan:
    """Return the plan of the stack that is being deployed.

    Reads every key of the project's namespace, so that one that was set by mistake is refused; Pulumi itself
    offers a program only the keys that it asks for. Raises StackFileError.
    """
    stack = pulumi.get_stack()
    raw = runtime_config.CONFIG.get() or runtime_config.get_config_env()
    return plan_config(decode_config(raw), stack, f"Pulumi.{stack}.yaml")
