"""What the program gives the API server for deliveries: the gateway, and what keeps to routes and images."""

from functools import cache

from headroom.planning.plan import plan_config
from tests.cluster.manifests import Manifest
from tests.components.deliveries import config_of
from tests.mocks import record

KINDS = (
    "ClusterRole",
    "Gateway",
    "Namespace",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
)


@cache
def delivery_manifests() -> list[Manifest]:
    """The objects of the component, as the program gives them to the API server."""

    async def main() -> None:
        from infra.stack import build

        await build(plan_config(config_of(), "test", "f")).registered()

    graph = [each for each in record("test", main) if each.type.startswith("kubernetes:")]
    order = ("Namespace", *KINDS)
    mine = [
        each.inputs
        for each in graph
        if each.inputs.get("kind") in KINDS and each.name.partition("-")[2] in WANTED
    ]
    assert len(mine) == len(WANTED)
    return sorted(mine, key=lambda manifest: order.index(manifest["kind"]))


WANTED = {
    "namespace-headroom-gateway",
    "gateway",
    "policy-model-images",
    "policybinding-model-images",
    "policy-model-routes",
    "policybinding-model-routes",
    "delivery-runner",
}
