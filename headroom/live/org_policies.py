"""Organization Policy: what holds in a project after all that it inherits."""

from headroom.live.connection import Connection, answers, bounds
from headroom.planning.org_policies import PolicyRule


def get_rules(connection: Connection, constraint: str) -> tuple[PolicyRule, ...]:
    """Return the effective rules of a constraint, such as `gcp.resourceLocations`.

    Raises UnansweredError.
    """
    from google.cloud.orgpolicy_v2 import GetEffectivePolicyRequest, OrgPolicyClient

    with answers(connection.project):
        policy = connection.client(OrgPolicyClient).get_effective_policy(
            request=GetEffectivePolicyRequest(name=f"projects/{connection.project}/policies/{constraint}"),
            **bounds(),
        )
    return tuple(
        PolicyRule(
            enforced=bool(rule.enforce),
            allow_all=bool(rule.allow_all),
            deny_all=bool(rule.deny_all),
            allowed=tuple(rule.values.allowed_values),
            denied=tuple(rule.values.denied_values),
        )
        for rule in policy.spec.rules
    )
