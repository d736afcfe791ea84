"""The keys of the environment: one for the cluster's secrets, one for its disks."""

from dataclasses import dataclass

from headroom.spec.encryption import Encryption

_SECONDS_IN_DAY = 86_400


@dataclass(frozen=True, slots=True)
class EncryptionPlan:
    """How the environment's keys are kept and renewed."""

    protection_level: str
    rotation_seconds: int


def plan_encryption(encryption: Encryption) -> EncryptionPlan:
    """Return the keys as they will be."""
    return EncryptionPlan(
        protection_level=encryption.protection.upper(),
        rotation_seconds=encryption.rotation_days * _SECONDS_IN_DAY,
    )
