"""Who is told of what: channels, the policies that tell them, and when nobody is told."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from headroom.alerts.rules import Pairs, Rule, load_rules
from headroom.alerts.security_events import load_security_events
from headroom.alerts.thresholds import move_thresholds
from headroom.planning.alerting import AlertPolicyPlan, plan_alert_policies
from headroom.planning.mutes import MutePlan, plan_mute
from headroom.planning.owner_alerts import is_divisible, narrow_to_others, narrow_to_owner
from headroom.planning.security_events import LogPolicyPlan, plan_security_events
from headroom.planning.staging import find_staged, narrow_to_environment
from headroom.spec.alerting import (
    Alerting,
    Channel,
    EmailChannel,
    Mute,
    PagerdutyChannel,
    PubsubChannel,
    SlackChannel,
)
from headroom.spec.platform import Platform

PUBLISHER_ROLE = "roles/pubsub.publisher"
"""What Monitoring's agent needs on a topic
(cloud.google.com/monitoring/support/notification-options#pubsub, 2026-11)."""


@dataclass(frozen=True, slots=True)
class SecretPlan:
    """A version of a secret in Secret Manager, and which of a channel's settings it is."""

    setting: str
    """`auth_token` or `service_key`."""
    project: str
    secret: str
    version: str


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """A notification channel; `topic` and its `project` are of Pub/Sub's alone."""

    name: str
    kind: str
    labels: Pairs
    secret: SecretPlan | None = None
    project: str = ""
    topic: str = ""


@dataclass(frozen=True, slots=True)
class RoutedPolicy:
    """An alert policy, and the names of the channels that it tells."""

    alert: str
    """The alert's name, which policies for several owners share."""
    policy: AlertPolicyPlan
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoutedEvent:
    """An alert policy on entries of logs, and the names of the channels that it tells."""

    alert: str
    policy: LogPolicyPlan
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlertingPlan:
    """All alerting of an environment. How many policies there are does not depend on its pipelines."""

    channels: tuple[ChannelPlan, ...]
    policies: tuple[RoutedPolicy, ...]
    events: tuple[RoutedEvent, ...]
    mutes: tuple[MutePlan, ...]

    @property
    def channels_by_alert(self) -> dict[str, tuple[str, ...]]:
        """The channels that tell each alert, those of single owners included."""
        told: dict[str, tuple[str, ...]] = {}
        for routed in (*self.policies, *self.events):
            told[routed.alert] = _unique((*told.get(routed.alert, ()), *routed.channels))
        return told


@cache
def known_rules() -> tuple[Rule, ...]:
    """Return the alerts, read once for each process."""
    return load_rules()


def needed_rules(platform: Platform) -> tuple[Rule, ...]:
    """Return the alerts of a stack: those on a job of the platform's own only where it asks for the job."""
    return tuple(
        rule
        for rule in known_rules()
        if not rule.needs or getattr(platform.operations, rule.needs, None) is not None
    )


def plan_alerting(platform: Platform, environment: str) -> AlertingPlan:
    """Return the alerting of a sound platform, for the stack called `environment`."""
    alerting = platform.alerting
    rules = move_thresholds(needed_rules(platform), alerting.thresholds)
    staged = bool(find_staged(platform))
    policies = tuple(_route_policies(alerting, rules, environment, staged=staged))
    events = tuple(_route_events(platform, environment))
    return AlertingPlan(
        channels=tuple(_plan_channel(name, channel) for name, channel in sorted(alerting.channels.items())),
        policies=policies,
        events=events,
        mutes=tuple(
            plan_mute(name, mute, _muted(mute, rules, (*policies, *events)))
            for name, mute in sorted(alerting.mutes.items())
        ),
    )


def alerting_traits(alerting: Alerting) -> set[str]:
    """Return the traits by which services and roles are chosen."""
    traits = set()
    if any(isinstance(channel, PagerdutyChannel | SlackChannel) for channel in alerting.channels.values()):
        traits.add("channel_secrets")
    if any(isinstance(channel, PubsubChannel) for channel in alerting.channels.values()):
        traits.add("channel_topics")
    return traits


def _own_owners(alerting: Alerting, rule: Rule) -> tuple[str, ...]:
    """Return the owners for whom a rule has policies of their own."""
    if not is_divisible(rule):
        return ()
    return tuple(owner for owner, routes in sorted(alerting.owners.items()) if getattr(routes, rule.notify))


def _route_policies(
    alerting: Alerting, rules: Sequence[Rule], environment: str, *, staged: bool
) -> Iterator[RoutedPolicy]:
    policies = plan_alert_policies(rules, environment, alerting.runbooks or "")
    for rule, policy in zip(rules, policies, strict=True):
        if staged:
            policy = narrow_to_environment(policy, rule, environment)
        owners = _own_owners(alerting, rule)
        theirs = narrow_to_others(policy, owners) if owners else policy
        yield RoutedPolicy(rule.name, theirs, _unique(getattr(alerting.routes, rule.notify)))
        for owner in owners:
            yield RoutedPolicy(
                rule.name,
                narrow_to_owner(policy, owner),
                _unique(getattr(alerting.owners[owner], rule.notify)),
            )


def _route_events(platform: Platform, environment: str) -> Iterator[RoutedEvent]:
    alerting, events = platform.alerting, load_security_events()
    policies = plan_security_events(
        events, environment, platform.region, alerting.deployers, alerting.runbooks or ""
    )
    for event, policy in zip(events, policies, strict=True):
        channels = alerting.routes.security or getattr(alerting.routes, event.notify)
        yield RoutedEvent(event.name, policy, _unique(channels))


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _muted(mute: Mute, rules: Sequence[Rule], routed: Iterable[RoutedPolicy | RoutedEvent]) -> list[str]:
    """Return the keys of the policies that a mute silences."""
    silenced = set(mute.alerts) or {
        rule.name
        for rule in rules
        if not rule.gates_canary and (rule.scope == "pipeline" or not mute.pipelines)
    }
    return [each.policy.name for each in routed if each.alert in silenced]


def _plan_channel(name: str, channel: Channel) -> ChannelPlan:
    match channel:
        case EmailChannel():
            return ChannelPlan(name, "email", (("email_address", channel.address),))
        case PagerdutyChannel():
            return ChannelPlan(name, "pagerduty", (), _plan_secret("service_key", channel.service_key))
        case SlackChannel():
            secret = _plan_secret("auth_token", channel.auth_token)
            return ChannelPlan(name, "slack", (("channel_name", channel.channel),), secret)
        case PubsubChannel():
            _, project, _, topic = channel.topic.split("/")
            return ChannelPlan(name, "pubsub", (("topic", channel.topic),), project=project, topic=topic)


def _plan_secret(setting: str, reference: str) -> SecretPlan:
    _, project, _, secret, _, version = reference.split("/")
    return SecretPlan(setting, project, secret, version)
