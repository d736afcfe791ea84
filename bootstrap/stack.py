"""What an admin sets up once for an environment: the state's place and, where it is asked for, CI."""

import asyncio
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from bootstrap.ci import Ci
from bootstrap.state import State
from headroom.planning.ci import plan_ci
from headroom.spec.bootstrap import Bootstrap
from infra.components.base import Component, Scope
from infra.retries import retry_hook


@dataclass(frozen=True, slots=True)
class Built:
    """What was built, and what its users may know of it."""

    components: tuple[Component, ...]
    outputs: dict[str, pulumi.Input[object]]

    async def registered(self) -> None:
        """Wait until the engine knows every resource."""
        await asyncio.gather(*(component.registered() for component in self.components))


def build(asked: Bootstrap, stack: str) -> Built:
    """Register the bootstrap's resources for the environment called `stack`."""
    scope = Scope(
        environment=stack,
        project=asked.project,
        region=asked.region,
        protected=True,
        provider=gcp.Provider(
            f"{stack}-google",
            project=asked.project,
            region=asked.region,
            default_labels={"environment": stack, "managed-by": "headroom"},
        ),
        retry=retry_hook(),
    )
    state = State(scope, asked.operators)
    outputs: dict[str, pulumi.Input[object]] = {
        "backend": state.backend,
        "secretsProvider": state.secrets_provider,
    }
    if asked.ci is None:
        return Built((state,), outputs)
    ci = Ci(scope, plan_ci(asked.ci, stack), state)
    return Built((state, ci), outputs | ci.outputs)
