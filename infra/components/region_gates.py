"""The alerts of further regions, which judge canaries there: their stacks' own, known by their outputs."""

from collections.abc import Mapping
from typing import Any

import pulumi

GATES = "gates"
"""The output with the names of the policies that judge canaries, by the names of their plans."""


def read_gates(stack: str) -> pulumi.Output[Mapping[str, str]]:
    """Return the policies that judge canaries in another stack of this project.

    Raises RunError, once the stack's outputs are known, where it has not been brought up.
    """
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}"

    def require(found: Any) -> Mapping[str, str]:
        if isinstance(found, Mapping):
            return found
        raise pulumi.RunError(
            f"the stack {stack} does not say which alerts judge canaries there: a region is brought up "
            f"before releases go on to it; run `pulumi up -s {stack}` first"
        )

    return pulumi.StackReference(stack, stack_name=name).get_output(GATES).apply(require)


def find_gate(gates: Mapping[str, str], policy: str, stack: str) -> str:
    """Return the name of a policy in another stack. Raises RunError where that stack does not have it yet."""
    if policy not in gates:
        raise pulumi.RunError(
            f"the stack {stack} has no alert {policy} yet, which judges canaries there: after a change a "
            f"region is brought up first; run `pulumi up -s {stack}`"
        )
    return gates[policy]
