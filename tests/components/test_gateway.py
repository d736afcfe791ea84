"""D8: how requests reach models, and the present and the new one share them."""

import pytest

from headroom.planning.delivery import GATEWAY, GATEWAY_NAMESPACE
from tests.components.deliveries import COMMON, Graph, Runner, build, record_deliveries


@pytest.fixture(scope="module")
def graph() -> Graph:
    return record_deliveries()


def test_models_are_reached_through_one_gateway_from_within(graph: Graph) -> None:
    gateway = graph["Gateway", "test-gateway"].inputs
    assert gateway["spec"]["gatewayClassName"] == "gke-l7-rilb"
    (listener,) = gateway["spec"]["listeners"]
    selector = listener["allowedRoutes"]["namespaces"]["selector"]["matchExpressions"]
    assert selector == [{"key": "headroom/delivery", "operator": "Exists"}]
    subnet = graph["Subnetwork", "test-proxies"].inputs
    assert (subnet["purpose"], subnet["role"], subnet["ipCidrRange"]) == (
        "REGIONAL_MANAGED_PROXY",
        "ACTIVE",
        "10.56.0.0/23",
    )
    door = graph["NetworkPolicy", "test-doors-ranker"].inputs["spec"]["ingress"][-1]["from"]
    assert {"ipBlock": {"cidr": "10.56.0.0/23"}} in door


def test_a_certificate_makes_it_https(run_program: Runner) -> None:
    graph = build(run_program, COMMON | {"certificate": "models"})
    (listener,) = graph["Gateway", "test-gateway"].inputs["spec"]["listeners"]
    assert (listener["protocol"], listener["port"]) == ("HTTPS", 443)
    assert listener["tls"]["options"] == {"networking.gke.io/pre-shared-certs": "models"}


def test_routes_are_held_to_their_paths_wherever_the_gateway_takes_them_from(graph: Graph) -> None:
    """D1, D4: by the gateway that there is; the policy's text names it."""
    policy = graph["ValidatingAdmissionPolicy", "test-policy-model-routes"].inputs
    binding = graph["ValidatingAdmissionPolicyBinding", "test-policybinding-model-routes"].inputs["spec"]
    assert binding["policyName"] == policy["metadata"]["name"]
    assert binding["validationActions"] == ["Deny"]
    (listener,) = graph["Gateway", "test-gateway"].inputs["spec"]["listeners"]
    assert (
        binding["matchResources"]["namespaceSelector"] == listener["allowedRoutes"]["namespaces"]["selector"]
    )
    (row,) = policy["spec"]["matchConstraints"]["resourceRules"]
    assert {"httproutes", "grpcroutes"} < set(row["resources"])
    parents = policy["spec"]["validations"][2]["expression"]
    assert f"parent.name == '{GATEWAY}'" in parents
    assert f"== '{GATEWAY_NAMESPACE}'" in parents
