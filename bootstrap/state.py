"""Where Pulumi's state lives, and the key that encrypts the secrets in it."""

import re

import pulumi
import pulumi_gcp as gcp

from headroom.planning.names import shape_hash, state_bucket
from infra.components.base import Component, Scope

NONCURRENT_VERSIONS = 200
"""Versions of a state file that are kept beside the newest: each update writes several."""


class State(Component):
    """A bucket that keeps every version of the state, and a key for its secrets; both outlive a mistake."""

    def __init__(self, scope: Scope, operators: tuple[str, ...]) -> None:
        super().__init__("State", scope)
        services = [self.enable(api) for api in ("cloudkms", "storage")]
        self.bucket = self.own(self._state_bucket(services))
        self.key = self.own(self._secrets_key(services))
        for member in operators:
            self._admit_operator(member)
        self.register_outputs({})

    @property
    def backend(self) -> pulumi.Output[str]:
        """What `pulumi login` takes."""
        return pulumi.Output.concat("gs://", self.bucket.name)

    @property
    def secrets_provider(self) -> pulumi.Output[str]:
        """What `pulumi stack init --secrets-provider` takes."""
        return pulumi.Output.concat("gcpkms://", self.key.id)

    def _state_bucket(self, services: list[gcp.projects.Service]) -> gcp.storage.Bucket:
        rule = gcp.storage.BucketLifecycleRuleArgs
        return gcp.storage.Bucket(
            self.scope.name("state"),
            name=state_bucket(self.scope.project),
            project=self.scope.project,
            location=self.scope.region,
            storage_class="STANDARD",
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            versioning=gcp.storage.BucketVersioningArgs(enabled=True),
            soft_delete_policy=gcp.storage.BucketSoftDeletePolicyArgs(retention_duration_seconds=30 * 86_400),
            lifecycle_rules=[
                rule(
                    action=gcp.storage.BucketLifecycleRuleActionArgs(type="Delete"),
                    condition=gcp.storage.BucketLifecycleRuleConditionArgs(
                        num_newer_versions=NONCURRENT_VERSIONS
                    ),
                )
            ],
            force_destroy=False,
            opts=self.options(depends_on=services, protect=True),
        )

    def _secrets_key(self, services: list[gcp.projects.Service]) -> gcp.kms.CryptoKey:
        ring = self.own(
            gcp.kms.KeyRing(
                self.scope.name("state"),
                project=self.scope.project,
                location=self.scope.region,
                opts=self.options(depends_on=services, protect=True),
            )
        )
        return gcp.kms.CryptoKey(
            self.scope.name("secrets"),
            key_ring=ring.id,
            purpose="ENCRYPT_DECRYPT",
            rotation_period=f"{90 * 86_400}s",
            opts=self.options(protect=True),
        )

    def admit(self, name: str, member: pulumi.Input[str], state_role: str, key_role: str) -> None:
        """Give `member` a role on the bucket and one on the key; `name` tells its bindings from others."""
        self.own(
            gcp.storage.BucketIAMMember(
                self.scope.name(f"state-{name}"),
                bucket=self.bucket.name,
                role=state_role,
                member=member,
                opts=self.options(),
            )
        )
        self.own(
            gcp.kms.CryptoKeyIAMMember(
                self.scope.name(f"secrets-{name}"),
                crypto_key_id=self.key.id,
                role=key_role,
                member=member,
                opts=self.options(),
            )
        )

    def _admit_operator(self, member: str) -> None:
        slug = f"{re.sub(r'[^a-z0-9]+', '-', member.lower())}-{shape_hash({'member': member})}"
        self.admit(slug, member, "roles/storage.objectUser", "roles/cloudkms.cryptoKeyEncrypterDecrypter")
