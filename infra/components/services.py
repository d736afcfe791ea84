"""Google Cloud's APIs that the environment uses, and the agents through which they act."""

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from infra.components.base import Component, Scope


class Services(Component):
    """The APIs, enabled and left enabled on destroy, since others in the project may use them."""

    def __init__(self, scope: Scope, apis: Sequence[str]) -> None:
        super().__init__("Services", scope)
        self.apis = {api: self.enable(api) for api in apis}
        self.container_agent = self.own(
            gcp.projects.ServiceIdentity(
                scope.name("container-agent"),
                project=scope.project,
                service="container.googleapis.com",
                opts=self.options(depends_on=[self.apis["container"]]),
            )
        )
        self.register_outputs({})

    @property
    def project_number(self) -> pulumi.Output[str]:
        """The project's number, which service agents carry in their address: `service-NUMBER@...`."""
        return self.container_agent.email.apply(lambda email: email.split("@")[0].removeprefix("service-"))
