"""`headroom:environment`: what kind of environment the stack is."""

from typing import Literal

from pydantic import Field

from headroom.spec.base import LabelKey, LabelValue, Section


class Environment(Section):
    """What kind of environment this is, and the labels that its resources carry."""

    tier: Literal["development", "production"] = Field(
        description="production: protected from deletion, several zones, a maintenance window is required"
    )
    labels: dict[LabelKey, LabelValue] = Field(
        default_factory=dict, max_length=32, description="labels of your own on every resource"
    )
