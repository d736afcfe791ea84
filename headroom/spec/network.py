"""`headroom:network`: the address ranges of the environment."""

from ipaddress import IPv4Network
from typing import Annotated

from pydantic import BeforeValidator, Field

from headroom.spec.base import Section


def _require_text(value: object) -> object:
    if not isinstance(value, str | IPv4Network):
        raise ValueError("must be an IPv4 range such as 10.0.0.0/20")
    return value


AddressRange = Annotated[IPv4Network, BeforeValidator(_require_text, json_schema_input_type=str)]


class Network(Section):
    """Address ranges. They cannot be changed once in use, so they do not follow the pools: the plan checks
    that they hold the pools at their maximum, and says how wide they must be when they do not."""

    nodes: AddressRange = Field(
        default=IPv4Network("10.0.0.0/20"), description="one address for each node; by default 10.0.0.0/20"
    )
    pods: AddressRange = Field(
        default=IPv4Network("10.64.0.0/14"),
        description="a block for each node's pods; by default 10.64.0.0/14",
    )
    services: AddressRange = Field(
        default=IPv4Network("10.32.0.0/20"), description="cluster-internal services; by default 10.32.0.0/20"
    )
    control_plane: AddressRange = Field(
        default=IPv4Network("10.48.0.0/28"),
        description="where the control plane speaks from; by default 10.48.0.0/28",
    )
    proxies: AddressRange = Field(
        default=IPv4Network("10.56.0.0/23"),
        description="where the load balancer of delivered models speaks from; by default 10.56.0.0/23",
    )
