"""`headroom:network`: the address ranges of the environment."""

from ipaddress import IPv4Network

from pydantic import Field

from headroom.spec.base import Section


class Network(Section):
    """Address ranges. They cannot be changed once in use, so they do not follow the pools: the plan checks
    that they hold the pools at their maximum, and says how wide they must be when they do not."""

    nodes: IPv4Network = Field(default=IPv4Network("10.0.0.0/20"), description="one address for each node")
    pods: IPv4Network = Field(
        default=IPv4Network("10.64.0.0/14"), description="a block of addresses for each node's pods"
    )
    services: IPv4Network = Field(
        default=IPv4Network("10.32.0.0/20"), description="cluster-internal services"
    )
    control_plane: IPv4Network = Field(
        default=IPv4Network("10.48.0.0/28"), description="where the control plane speaks from"
    )
