"""Notification channels, alert policies, and the snoozes of maintenance windows."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import pulumi
import pulumi_gcp as gcp

from headroom.alerts.rules import Pairs
from headroom.planning.alerting import AlertPolicyPlan, FlagCondition, PromqlCondition
from headroom.planning.mutes import MutePlan, SnoozePlan, Window, find_window
from headroom.planning.notifications import (
    PUBLISHER_ROLE,
    AlertingPlan,
    ChannelPlan,
    RoutedEvent,
    RoutedPolicy,
    SecretPlan,
)
from headroom.planning.security_events import LogPolicyPlan
from infra.components.base import Component, Scope
from infra.components.services import Services

_UNREAD = "read by `pulumi up` alone"


class Alerting(Component):
    """Who is told of what, and when nobody is.

    Policies are called after their alerts, so that a change of a rule changes the policy that there is, and
    what refers to it, a mute or a canary's gate, keeps its hold.
    """

    def __init__(self, scope: Scope, plan: AlertingPlan, services: Services) -> None:
        super().__init__("Alerting", scope)
        self._services = services
        self._api = services.apis["monitoring"]
        self._channels = {channel.name: self._channel(channel) for channel in plan.channels}
        self._admit_publisher([channel for channel in plan.channels if channel.topic])
        self.policies = {
            **{routed.policy.name: self._policy(routed) for routed in plan.policies},
            **{routed.policy.name: self._event(routed) for routed in plan.events},
        }
        """Every policy, by its planned name."""
        now = datetime.now(UTC)
        for mute in plan.mutes:
            if window := find_window(mute, now):
                self._mute(mute, window)
        self.register_outputs({})

    def _channel(self, plan: ChannelPlan) -> gcp.monitoring.NotificationChannel:
        reads = plan.secret is not None and not pulumi.runtime.is_dry_run()
        return self.own(
            gcp.monitoring.NotificationChannel(
                self.scope.name(plan.name),
                project=self.scope.project,
                type=plan.kind,
                display_name=self.scope.name(plan.name),
                labels=dict(plan.labels),
                sensitive_labels=self._settings(plan.secret, reads) if plan.secret else None,
                user_labels=self._labels((("secret-version", plan.secret.version),) if plan.secret else ()),
                opts=self.options(
                    depends_on=[self._api],
                    ignore=["sensitiveLabels"] if plan.secret and not reads else (),
                    secret=["sensitiveLabels"] if plan.secret else (),
                ),
            )
        )

    def _settings(
        self, secret: SecretPlan, reads: bool
    ) -> gcp.monitoring.NotificationChannelSensitiveLabelsArgs:
        """A preview reads no secret: who may only look has no right to."""
        value = self._read(secret) if reads else pulumi.Output.secret(_UNREAD)
        return gcp.monitoring.NotificationChannelSensitiveLabelsArgs(**{secret.setting: value})

    def _read(self, secret: SecretPlan) -> pulumi.Output[str]:
        answer = gcp.secretmanager.get_secret_version_access_output(
            project=secret.project,
            secret=secret.secret,
            version=secret.version,
            opts=pulumi.InvokeOutputOptions(
                provider=self.scope.provider, depends_on=[self._services.apis["secretmanager"]]
            ),
        )
        return pulumi.Output.secret(answer.secret_data)

    def _admit_publisher(self, channels: Sequence[ChannelPlan]) -> None:
        """Let Monitoring's agent publish on the topics."""
        if not channels:
            return
        agent = self.own(
            gcp.projects.ServiceIdentity(
                self.scope.name("monitoring-agent"),
                project=self.scope.project,
                service="monitoring.googleapis.com",
                opts=self.options(depends_on=[self._api]),
            )
        )
        number = self._services.project_number
        member = pulumi.Output.format(
            "serviceAccount:service-{0}@gcp-sa-monitoring-notification.iam.gserviceaccount.com", number
        )
        for channel in channels:
            self.own(
                gcp.pubsub.TopicIAMMember(
                    self.scope.name(channel.name),
                    project=channel.project,
                    topic=channel.topic,
                    role=PUBLISHER_ROLE,
                    member=member,
                    opts=self.options(depends_on=[agent]),
                )
            )

    def _policy(self, routed: RoutedPolicy) -> gcp.monitoring.AlertPolicy:
        plan, channels = routed.policy, self._told(routed.channels)
        renotify = gcp.monitoring.AlertPolicyAlertStrategyNotificationChannelStrategyArgs(
            notification_channel_names=channels, renotify_interval=f"{plan.renotify_seconds}s"
        )
        strategy = gcp.monitoring.AlertPolicyAlertStrategyArgs(
            auto_close=f"{plan.auto_close_seconds}s",
            notification_channel_strategies=[renotify] if channels else None,
        )
        return self._register(plan, channels, [_condition(each) for each in plan.conditions], strategy)

    def _event(self, routed: RoutedEvent) -> gcp.monitoring.AlertPolicy:
        plan = routed.policy
        condition = gcp.monitoring.AlertPolicyConditionArgs(
            display_name=plan.display_name,
            condition_matched_log=gcp.monitoring.AlertPolicyConditionConditionMatchedLogArgs(
                filter=plan.filter, label_extractors=dict(plan.extracted)
            ),
        )
        strategy = gcp.monitoring.AlertPolicyAlertStrategyArgs(
            auto_close=f"{plan.auto_close_seconds}s",
            notification_rate_limit=gcp.monitoring.AlertPolicyAlertStrategyNotificationRateLimitArgs(
                period=f"{plan.period_seconds}s"
            ),
        )
        return self._register(plan, self._told(routed.channels), [condition], strategy)

    def _told(self, names: Iterable[str]) -> list[pulumi.Output[str]]:
        return [self._channels[name].name for name in names]

    def _register(
        self,
        plan: AlertPolicyPlan | LogPolicyPlan,
        channels: Sequence[pulumi.Output[str]],
        conditions: Sequence[gcp.monitoring.AlertPolicyConditionArgs],
        strategy: gcp.monitoring.AlertPolicyAlertStrategyArgs,
    ) -> gcp.monitoring.AlertPolicy:
        return self.own(
            gcp.monitoring.AlertPolicy(
                self.scope.name(plan.name),
                project=self.scope.project,
                display_name=plan.display_name,
                combiner="OR",
                severity=plan.severity,
                conditions=conditions,
                notification_channels=channels or None,
                alert_strategy=strategy,
                documentation=gcp.monitoring.AlertPolicyDocumentationArgs(
                    subject=plan.subject,
                    content=plan.content,
                    mime_type="text/markdown",
                    links=_links(plan.links) or None,
                ),
                user_labels=dict(plan.user_labels),
                opts=self.options(depends_on=[self._api]),
            )
        )

    def _mute(self, mute: MutePlan, window: Window) -> None:
        for snooze in mute.snoozes:
            self._snooze(mute, snooze, window)

    def _snooze(self, mute: MutePlan, plan: SnoozePlan, window: Window) -> None:
        """Google changes the end alone of a snooze that has begun."""
        self.own(
            gcp.monitoring.Snooze(
                self.scope.name(plan.key),
                project=self.scope.project,
                display_name=f"{self.scope.environment}: {mute.name}",
                criteria=gcp.monitoring.SnoozeCriteriaArgs(
                    policies=[self.policies[name].name for name in plan.policies], filter=plan.filter or None
                ),
                interval=gcp.monitoring.SnoozeIntervalArgs(start_time=window.start, end_time=window.end),
                opts=self.options(ignore=["interval.startTime"] if window.begun else ()),
            )
        )

    def _labels(self, more: Pairs) -> dict[str, str]:
        return {"environment": self.scope.environment, "managed-by": "headroom", **dict(more)}


def _links(links: Pairs) -> list[gcp.monitoring.AlertPolicyDocumentationLinkArgs]:
    return [
        gcp.monitoring.AlertPolicyDocumentationLinkArgs(display_name=name, url=url) for name, url in links
    ]


def _condition(plan: PromqlCondition | FlagCondition) -> gcp.monitoring.AlertPolicyConditionArgs:
    if isinstance(plan, FlagCondition):
        return gcp.monitoring.AlertPolicyConditionArgs(
            display_name=plan.name, condition_threshold=_threshold(plan)
        )
    # The metrics come with the first pipeline, and without this Google refuses a query of what is not there.
    return gcp.monitoring.AlertPolicyConditionArgs(
        display_name=plan.name,
        condition_prometheus_query_language=gcp.monitoring.AlertPolicyConditionConditionPrometheusQueryLanguageArgs(
            query=plan.query,
            duration=f"{plan.duration_seconds}s",
            evaluation_interval=f"{plan.evaluation_seconds}s",
            rule_group=plan.group,
            alert_rule=plan.alert,
            labels=dict(plan.labels) or None,
            disable_metric_validation=True,
        ),
    )


def _threshold(plan: FlagCondition) -> gcp.monitoring.AlertPolicyConditionConditionThresholdArgs:
    return gcp.monitoring.AlertPolicyConditionConditionThresholdArgs(
        filter=plan.filter,
        comparison="COMPARISON_GT",
        threshold_value=plan.threshold,
        duration=f"{plan.duration_seconds}s",
        aggregations=[
            gcp.monitoring.AlertPolicyConditionConditionThresholdAggregationArgs(
                alignment_period=f"{plan.alignment_seconds}s",
                per_series_aligner="ALIGN_COUNT_TRUE",
                cross_series_reducer="REDUCE_SUM",
                group_by_fields=list(plan.group_by),
            )
        ],
    )
