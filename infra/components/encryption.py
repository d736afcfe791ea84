"""Keys of the environment's own, and the right of Google's agents to use them."""

import pulumi
import pulumi_gcp as gcp

from headroom.planning.encryption import EncryptionPlan
from infra.components.base import Component, Scope
from infra.components.services import Services


class Encryption(Component):
    """A key ring with a key for the cluster's secrets and one for disks.

    Key rings and keys can never be deleted, so the ring's name is generated: `up` after `destroy` makes
    a new one.
    """

    def __init__(self, scope: Scope, plan: EncryptionPlan, services: Services) -> None:
        super().__init__("Encryption", scope)
        self._plan = plan
        self._ring = self.own(
            gcp.kms.KeyRing(
                scope.name("keys"),
                project=scope.project,
                location=scope.region,
                opts=self.options(depends_on=[services.apis["cloudkms"]], protect=True),
            )
        )
        compute_agent = services.project_number.apply(
            lambda number: f"serviceAccount:service-{number}@compute-system.iam.gserviceaccount.com"
        )
        self.cluster_key = self._key("cluster-secrets")
        self.disk_key = self._key("disks")
        self.grants = [
            self._grant("cluster-secrets", self.cluster_key, services.container_agent.member, []),
            self._grant("disks", self.disk_key, compute_agent, [services.apis["compute"]]),
        ]
        self.register_outputs({})

    def _key(self, purpose: str) -> gcp.kms.CryptoKey:
        return self.own(
            gcp.kms.CryptoKey(
                self.scope.name(purpose),
                key_ring=self._ring.id,
                purpose="ENCRYPT_DECRYPT",
                rotation_period=f"{self._plan.rotation_seconds}s",
                version_template=gcp.kms.CryptoKeyVersionTemplateArgs(
                    algorithm="GOOGLE_SYMMETRIC_ENCRYPTION", protection_level=self._plan.protection_level
                ),
                opts=self.options(protect=True),
            )
        )

    def _grant(
        self,
        purpose: str,
        key: gcp.kms.CryptoKey,
        member: pulumi.Input[str],
        depends_on: list[pulumi.Resource],
    ) -> gcp.kms.CryptoKeyIAMMember:
        return self.own(
            gcp.kms.CryptoKeyIAMMember(
                self.scope.name(f"{purpose}-agent"),
                crypto_key_id=key.id,
                role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
                member=member,
                opts=self.options(depends_on=depends_on),
            )
        )
