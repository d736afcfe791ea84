"""Production cannot be taken down by accident.

Pulumi refuses to destroy a stack that has delete hooks unless the program runs with it, before it deletes
anything; and when the program does run, the hook refuses. `protect` alone does not do: with `--skip-preview`
Pulumi deletes whatever is not protected before it comes to what is.
"""

from collections.abc import Collection

import pulumi

HOOK = "production-is-protected (docs/runbooks/destroy-production.md)"
"""The name is what Pulumi shows when it refuses, so it says where the way to do it is written."""


def deletion_guard(planned: Collection[str]) -> pulumi.ResourceHook:
    """Return the hook that lets node pools go only when they are replaced or no longer asked for.

    `planned` are the names of the node pools of the plan.
    """

    def refuse(args: pulumi.ResourceHookArgs) -> None:
        outputs = args.old_outputs or {}
        if outputs.get("name") in planned:
            raise RuntimeError(
                "production is protected: set headroom:environment.tier to development and run `pulumi up` "
                "before `pulumi destroy`"
            )

    return pulumi.ResourceHook(HOOK, refuse)
