"""Where logs are kept, who reads them, and what becomes of the rest."""

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from headroom.planning.logging import ExclusionPlan, ExportPlan, LogBucketPlan, LoggingPlan, SinkPlan
from infra.components.base import Component, Scope
from infra.components.encryption import Encryption
from infra.components.services import Services

READER_ROLE = "roles/logging.viewAccessor"
ALL_OF_DATA = ("ADMIN_READ", "DATA_READ", "DATA_WRITE")


class Logging(Component):
    """Log buckets with their sinks and readers, exports, and logs of who used which data.

    A bucket outlives what it was made for, since its logs are to be kept for their time: Pulumi forgets it,
    it empties itself, and it is adopted when it is asked for again.
    """

    def __init__(self, scope: Scope, plan: LoggingPlan, encryption: Encryption, services: Services) -> None:
        super().__init__("Logging", scope)
        self._plan = plan
        self._services = services
        self._key = self._logs_key(encryption) if plan.own_key else None
        self._ready: list[pulumi.Resource] = [services.apis["logging"]]
        if self._key is not None:
            self._ready.append(self._admit_to(self._key))
        self.views: dict[str, gcp.logging.LogView] = {}
        """The view of each bucket that has readers, by the bucket's planned name."""
        sinks: list[pulumi.Resource] = []
        for bucket in plan.buckets:
            # A sink leaves to others only what they keep already.
            sinks += self._keep(bucket, after=() if bucket.namespaces else tuple(sinks))
        for exclusion in plan.excluded:
            self._leave_out(exclusion, sinks)
        self._export(plan.exports)
        for service in plan.audited:
            self._audit(service)
        self.register_outputs({})

    def _logs_key(self, encryption: Encryption) -> gcp.kms.CryptoKey:
        """A key of its own: a bucket cannot change its key, so buckets have its name in theirs. It outlives
        the stack as they do, or nobody could read what they keep."""
        return self.own(
            gcp.kms.CryptoKey(
                self.scope.name("logs"),
                key_ring=encryption.disk_key.key_ring,
                purpose="ENCRYPT_DECRYPT",
                rotation_period=encryption.disk_key.rotation_period,
                version_template=encryption.disk_key.version_template,
                deletion_policy="ABANDON",
                opts=self.options(),
            )
        )

    def _admit_to(self, key: gcp.kms.CryptoKey) -> gcp.kms.CryptoKeyIAMMember:
        """Google alone knows under which account Logging uses keys, and makes it when it is asked."""
        settings = gcp.logging.get_project_cmek_settings_output(
            project=self.scope.project,
            opts=pulumi.InvokeOutputOptions(
                provider=self.scope.provider, depends_on=[self._services.apis["logging"]]
            ),
        )
        return self.own(
            gcp.kms.CryptoKeyIAMMember(
                self.scope.name("logs-agent"),
                crypto_key_id=key.id,
                role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
                member=settings.service_account_id.apply(
                    lambda account: f"serviceAccount:{account.removeprefix('serviceAccount:')}"
                ),
                opts=self.options(),
            )
        )

    def _keep(self, plan: LogBucketPlan, after: Sequence[pulumi.Resource]) -> list[gcp.logging.ProjectSink]:
        bucket = self._bucket(plan)
        if self._plan.dataset:
            self._link(plan, bucket)
        if plan.readers:
            self.views[plan.name] = self._open(plan, bucket)
        destination = pulumi.Output.concat("logging.googleapis.com/", bucket.id)
        return [self._sink(sink, plan.description, destination, after) for sink in plan.sinks]

    def _bucket_id(self, plan: LogBucketPlan) -> pulumi.Input[str]:
        if self._key is None:
            return plan.name
        return self._key.name.apply(lambda name: f"{plan.name}-{name.rsplit('-', 1)[-1]}")

    def _bucket(self, plan: LogBucketPlan) -> gcp.logging.ProjectBucketConfig:
        key = self._key
        return self.own(
            gcp.logging.ProjectBucketConfig(
                plan.name,
                project=self.scope.project,
                location=self.scope.region,
                bucket_id=self._bucket_id(plan),
                description=plan.description,
                retention_days=plan.retention_days,
                locked=plan.locked or None,
                enable_analytics=self._plan.analytics or None,
                cmek_settings=gcp.logging.ProjectBucketConfigCmekSettingsArgs(kms_key_name=key.id)
                if key
                else None,
                deletion_policy="ABANDON",
                opts=self.options(depends_on=self._ready),
            )
        )

    def _link(self, plan: LogBucketPlan, bucket: gcp.logging.ProjectBucketConfig) -> None:
        datasets = self._services.apis.get("bigquery")
        self.own(
            gcp.logging.LinkedDataset(
                plan.name,
                bucket=bucket.id,
                link_id=bucket.bucket_id.apply(lambda name: name.replace("-", "_")),
                description=plan.description,
                opts=self.options(depends_on=[datasets] if datasets else []),
            )
        )

    def _open(self, plan: LogBucketPlan, bucket: gcp.logging.ProjectBucketConfig) -> gcp.logging.LogView:
        """Let the readers, and through this view nobody else, read the whole bucket."""
        project = f"projects/{self.scope.project}"
        view = self.own(
            gcp.logging.LogView(
                plan.name,
                name="readers",
                bucket=bucket.id,
                description=plan.description,
                filter=f'SOURCE("{project}")',
                parent=project,
                location=self.scope.region,
                opts=self.options(),
            )
        )
        self.own(
            gcp.logging.LogViewIamBinding(
                plan.name,
                name=view.id,
                bucket=bucket.bucket_id,
                role=READER_ROLE,
                members=list(plan.readers),
                parent=project,
                location=self.scope.region,
                opts=self.options(),
            )
        )
        return view

    def _sink(
        self,
        plan: SinkPlan,
        description: str,
        destination: pulumi.Input[str],
        after: Sequence[pulumi.Resource],
    ) -> gcp.logging.ProjectSink:
        return self.own(
            gcp.logging.ProjectSink(
                plan.name,
                name=plan.name,
                project=self.scope.project,
                description=description,
                destination=destination,
                filter=plan.filter,
                exclusions=[
                    gcp.logging.ProjectSinkExclusionArgs(
                        name=exclusion.name, description=exclusion.description, filter=exclusion.filter
                    )
                    for exclusion in plan.exclusions
                ]
                or None,
                unique_writer_identity=True,
                opts=self.options(depends_on=[self._services.apis["logging"], *after]),
            )
        )

    def _leave_out(self, plan: ExclusionPlan, sinks: Sequence[pulumi.Resource]) -> None:
        """Leave entries out of `_Default`, once the sinks that keep them are there.

        An exclusion of the project is one of `_Default`, whose other settings stay as they are.
        """
        self.own(
            gcp.logging.ProjectExclusion(
                plan.name,
                name=plan.name,
                project=self.scope.project,
                description=plan.description,
                filter=plan.filter,
                opts=self.options(depends_on=sinks),
            )
        )

    def _export(self, plans: Sequence[ExportPlan]) -> None:
        """One grant serves all sinks to a destination: sinks of a project write under one account."""
        granted: set[str] = set()
        for plan in plans:
            sink = self._export_sink(plan)
            if plan.destination not in granted:
                granted.add(plan.destination)
                self._admit_writer(plan, sink)

    def _export_sink(self, plan: ExportPlan) -> gcp.logging.ProjectSink:
        name = self.scope.name(f"export-{plan.name}")
        partitioned = gcp.logging.ProjectSinkBigqueryOptionsArgs(use_partitioned_tables=True)
        return self.own(
            gcp.logging.ProjectSink(
                name,
                name=name,
                project=self.scope.project,
                description=f"Also kept in {plan.destination}",
                destination=plan.destination,
                filter=plan.filter,
                bigquery_options=partitioned if plan.service == "bigquery" else None,
                unique_writer_identity=True,
                opts=self.options(depends_on=[self._services.apis["logging"]]),
            )
        )

    def _admit_writer(self, plan: ExportPlan, sink: gcp.logging.ProjectSink) -> None:
        name, opts = self.scope.name(f"export-{plan.name}"), self.options()
        writer = sink.writer_identity
        if plan.service == "bigquery":
            self.own(
                gcp.bigquery.DatasetIamMember(
                    name,
                    project=plan.project,
                    dataset_id=plan.target,
                    role=plan.role,
                    member=writer,
                    opts=opts,
                )
            )
        else:
            self.own(
                gcp.storage.BucketIAMMember(
                    name, bucket=plan.target, role=plan.role, member=writer, opts=opts
                )
            )

    def _audit(self, service: str) -> None:
        self.own(
            gcp.projects.IAMAuditConfig(
                self.scope.name(f"audit-{service}"),
                project=self.scope.project,
                service=f"{service}.googleapis.com",
                audit_log_configs=[
                    gcp.projects.IAMAuditConfigAuditLogConfigArgs(log_type=kind) for kind in ALL_OF_DATA
                ],
                opts=self.options(depends_on=[self._services.apis["logging"]]),
            )
        )
