"""`headroom:encryption`: the keys that encrypt the cluster's secrets and its disks."""

from typing import Annotated, Literal

from pydantic import Field

from headroom.spec.base import Section


class Encryption(Section):
    """How keys are kept and how often they are renewed."""

    protection: Literal["software", "hsm"] = Field(
        default="software", description="where the keys live; by default software"
    )
    rotation_days: Annotated[int, Field(strict=True, ge=1, le=365)] = Field(
        default=90, description="days until a key gets a new version: 1 to 365, by default 90"
    )
