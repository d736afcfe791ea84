"""Alerts on the pipelines of owners who are told through channels of their own.

A policy serves all pipelines and tells fixed channels, so that owners can be told apart by another policy
alone: one for the pipelines of each owner that asks for it, and one for all others. They divide what fires by
the label `owner` of ml_pipeline_info. A pipeline that does not export it is everybody else's, so that nothing
that fires is lost.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from headroom.alerts.rules import Rule
from headroom.planning.alerting import AlertPolicyPlan, PromqlCondition

REMEMBERED = "12h"
"""So long after its last metric a pipeline is still its owner's: with the longest duration of an alert less
than the 25 hours that Cloud Monitoring looks back."""


def name_owner(owner: str) -> str:
    """Return a readable part of an owner's address, and six characters that tell it from all others."""
    local = owner.partition(":")[2].partition("@")[0][:40].lower()
    return f"{re.sub('[^a-z0-9]+', '-', local).strip('-')}-{sha256(owner.encode()).hexdigest()[:6]}"


def is_divisible(rule: Rule) -> bool:
    """Whether what fires is some pipeline's, and no canary's phase waits for the policy: Cloud Deploy asks
    one policy for its verdict on all of them."""
    return rule.scope == "pipeline" and not rule.gates_canary


def narrow_to_owner(policy: AlertPolicyPlan, owner: str) -> AlertPolicyPlan:
    """Return the policy for the pipelines of `owner` alone."""
    name = name_owner(owner)
    return replace(
        _restrict(policy, "and", f'="{owner}"'),
        name=f"{policy.name}-{name}",
        display_name=f"{policy.display_name} ({owner.partition(':')[2]})",
        user_labels=(*policy.user_labels, ("owner", name)),
    )


def narrow_to_others(policy: AlertPolicyPlan, owners: Sequence[str]) -> AlertPolicyPlan:
    """Return the policy for the pipelines of everybody but `owners`."""
    listed = "|".join(re.sub(r"([.+])", r"[\1]", owner) for owner in owners)
    return _restrict(policy, "unless", f'=~"{listed}"')


def _restrict(policy: AlertPolicyPlan, operator: str, owners: str) -> AlertPolicyPlan:
    theirs = (
        f"max by (environment, pipeline) (last_over_time(ml_pipeline_info{{owner{owners}}}[{REMEMBERED}]))"
    )
    conditions = tuple(
        replace(condition, query=f"(\n{condition.query})\n{operator} on (environment, pipeline) {theirs}\n")
        if isinstance(condition, PromqlCondition)
        else condition
        for condition in policy.conditions
    )
    return replace(policy, conditions=conditions)
