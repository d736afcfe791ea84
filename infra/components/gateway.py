"""What deliveries find in the cluster: the gateway to the models, the runners' rights, who may run."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from headroom.planning.delivery import DeliveryPlan, GatewayPlan, ImagesPlan
from headroom.planning.tenancy import DELIVERY_LABEL
from infra.components.base import Scope
from infra.components.cluster_access import ClusterAccess, ClusterComponent, Manifest, read_manifests
from infra.components.network import Network
from infra.components.tenancy import Tenancy

_RBAC = "rbac.authorization.k8s.io"


class Gateway(ClusterComponent):
    """One gateway for all models; routes to it come from namespaces that models are delivered to, and from no
    other."""

    def __init__(
        self,
        scope: Scope,
        plan: DeliveryPlan,
        network: Network,
        access: ClusterAccess,
        tenancy: Tenancy,
        runners: Mapping[str, pulumi.Resource],
    ) -> None:
        super().__init__("Gateway", scope, access)
        self._open(plan.gateway, [network.proxies] if network.proxies else [])
        images, of_images = read_manifests("delivery/images.yaml")
        self._forbid("model-images", _keep_to(images, plan.images), of_images)
        self._forbid("model-routes", *read_manifests("delivery/routes.yaml"))
        (role,) = read_manifests("delivery/runner.yaml")
        ruled = self.apply("delivery-runner", role)
        for account in plan.accounts:
            if account.namespace is not None and account.reaches(scope.environment):
                runner = [runners[account.id]] if account.id in runners else []
                before_it = [ruled, tenancy.namespaces[account.namespace], *runner]
                # Written out: a first preview, and the policies in it, see whom it binds.
                self._let_deploy(account.namespace, account.email, before_it)
        self.register_outputs({})

    def _open(self, plan: GatewayPlan, before: Sequence[pulumi.Resource]) -> None:
        metadata = {"name": plan.namespace, "labels": {"managed-by": "headroom"}}
        place = self.apply(
            f"namespace-{plan.namespace}",
            {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata},
            goes_first=True,
        )
        spec = {"gatewayClassName": plan.gateway_class, "listeners": [_listener(plan)]}
        gateway = {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": {"name": plan.name, "namespace": plan.namespace},
            "spec": spec,
        }
        # Its load balancer would keep the network from going.
        self.apply("gateway", gateway, [place, *before], goes_first=True)

    def _forbid(self, name: str, policy: dict[str, Any], binding: dict[str, Any]) -> None:
        self.apply(f"policybinding-{name}", binding, [self.apply(f"policy-{name}", policy)])

    def _let_deploy(self, namespace: str, user: str, before: Sequence[pulumi.Resource]) -> Manifest:
        name = "headroom-delivery-runner"
        return self.apply(
            f"runner-{namespace}",
            {
                "apiVersion": f"{_RBAC}/v1",
                "kind": "RoleBinding",
                "metadata": {"name": name, "namespace": namespace},
                "roleRef": {"kind": "ClusterRole", "name": name, "apiGroup": _RBAC},
                "subjects": [{"kind": "User", "name": user, "apiGroup": _RBAC}],
            },
            before,
        )


def _listener(plan: GatewayPlan) -> dict[str, Any]:
    routes = {"matchExpressions": [{"key": DELIVERY_LABEL, "operator": "Exists"}]}
    allowed = {"namespaces": {"from": "Selector", "selector": routes}}
    if plan.certificate is None:
        return {"name": "http", "protocol": "HTTP", "port": 80, "allowedRoutes": allowed}
    options = {"networking.gke.io/pre-shared-certs": plan.certificate}
    tls = {"mode": "Terminate", "options": options}
    return {"name": "https", "protocol": "HTTPS", "port": 443, "tls": tls, "allowedRoutes": allowed}


def _keep_to(policy: dict[str, Any], images: ImagesPlan) -> dict[str, Any]:
    """Fill in how the names of admitted images begin, by the stage of the namespace."""
    # As CEL writes it: Python's own form of strings and lists is the same for letters of such names.
    expression = str({stage: list(prefixes) for stage, prefixes in images.served})
    variables = [{"name": "admitted", "expression": expression}, *policy["spec"]["variables"]]
    return {**policy, "spec": {**policy["spec"], "variables": variables}}
