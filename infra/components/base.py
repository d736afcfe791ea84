"""What every component has in common: where it is built, and how its children are."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import pulumi
import pulumi_gcp as gcp

Child = TypeVar("Child", bound=pulumi.Resource)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where components are built: the environment, and the options that all of its resources share."""

    environment: str
    project: str
    region: str
    protected: bool
    provider: pulumi.ProviderResource
    retry: pulumi.ErrorHook

    def name(self, thing: str) -> str:
        """Return the name of a resource: `<environment>-<thing>`."""
        return f"{self.environment}-{thing}"


class Component(pulumi.ComponentResource):
    """A concern of the environment; `own` remembers its resources, so that the program can await them."""

    def __init__(self, kind: str, scope: Scope, *providers: pulumi.ProviderResource) -> None:
        super().__init__(
            f"headroom:infra:{kind}",
            scope.name(_kebab(kind)),
            None,
            pulumi.ResourceOptions(providers=[scope.provider, *providers]),
        )
        self.scope = scope
        self.resources: list[pulumi.Resource] = []

    def own(self, resource: Child) -> Child:
        """Return `resource`, remembered as one of this component's."""
        self.resources.append(resource)
        return resource

    def enable(self, api: str) -> gcp.projects.Service:
        """Return the API of that short name, enabled and left enabled on destroy: others may use it."""
        return self.own(
            gcp.projects.Service(
                self.scope.name(api),
                project=self.scope.project,
                service=f"{api}.googleapis.com",
                disable_on_destroy=False,
                opts=self.options(minutes=20),
            )
        )

    async def registered(self) -> None:
        """Wait until the engine knows every resource of this component.

        The SDK's own wait at the end of a program is quadratic in what is outstanding, this one is linear.
        """
        await asyncio.gather(*(resource.urn.future() for resource in self.resources))

    def options(
        self,
        *,
        depends_on: Sequence[pulumi.Resource] = (),
        protect: bool = False,
        ignore: Sequence[str] = (),
        secret: Sequence[str] = (),
        minutes: int | None = None,
        delete_before_replace: bool | None = None,
        guard: pulumi.ResourceHook | None = None,
        deleted_with: pulumi.Resource | None = None,
        keep: bool = False,
    ) -> pulumi.ResourceOptions:
        """Return a child's options. `protect` holds in production only; `minutes` bounds each operation.
        What is to `keep` stays in the cloud when the stack lets it go."""
        bound = f"{minutes}m" if minutes else None
        return pulumi.ResourceOptions(
            parent=self,
            depends_on=list(depends_on),
            protect=True if protect and self.scope.protected else None,
            ignore_changes=list(ignore) or None,
            additional_secret_outputs=list(secret) or None,
            custom_timeouts=pulumi.CustomTimeouts(create=bound, update=bound, delete=bound)
            if bound
            else None,
            delete_before_replace=delete_before_replace,
            deleted_with=deleted_with,
            retain_on_delete=True if keep else None,
            hooks=pulumi.ResourceHookBinding(
                on_error=[self.scope.retry], before_delete=[guard] if guard else None
            ),
        )


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()
