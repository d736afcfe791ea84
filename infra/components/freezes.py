"""Freezes as rules of a deploy policy: what they refuse, and when."""

from collections.abc import Mapping

import pulumi_gcp as gcp

from headroom.planning.delivery import RESTRICTED, FreezePlan

_deploy = gcp.clouddeploy


def restrict(plan: FreezePlan) -> gcp.clouddeploy.DeployPolicyRuleArgs:
    """Return the rule by which a freeze refuses what it does."""
    windows = _deploy.DeployPolicyRuleRolloutRestrictionTimeWindowsArgs
    return _deploy.DeployPolicyRuleArgs(
        rollout_restriction=_deploy.DeployPolicyRuleRolloutRestrictionArgs(
            id=plan.name,
            actions=list(RESTRICTED),
            time_windows=windows(
                time_zone=plan.time_zone,
                one_time_windows=[_once(plan)] if plan.start else None,
                weekly_windows=[_weekly(plan)] if plan.days else None,
            ),
        )
    )


def _once(plan: FreezePlan) -> gcp.clouddeploy.DeployPolicyRuleRolloutRestrictionTimeWindowsOneTimeWindowArgs:
    base = "DeployPolicyRuleRolloutRestrictionTimeWindowsOneTimeWindow"
    parts: dict[str, object] = {}
    for side, moment in (("start", plan.start), ("end", plan.end)):
        if moment is not None:
            name = f"{base}{side.capitalize()}"
            date = {"year": moment.year, "month": moment.month, "day": moment.day}
            parts[f"{side}_date"] = getattr(_deploy, f"{name}DateArgs")(**date)
            parts[f"{side}_time"] = getattr(_deploy, f"{name}TimeArgs")(
                **_clock(moment.hour * 60 + moment.minute)
            )
    return getattr(_deploy, f"{base}Args")(**parts)


def _weekly(
    plan: FreezePlan,
) -> gcp.clouddeploy.DeployPolicyRuleRolloutRestrictionTimeWindowsWeeklyWindowArgs:
    base = _deploy.DeployPolicyRuleRolloutRestrictionTimeWindowsWeeklyWindowArgs
    start = _deploy.DeployPolicyRuleRolloutRestrictionTimeWindowsWeeklyWindowStartTimeArgs
    end = _deploy.DeployPolicyRuleRolloutRestrictionTimeWindowsWeeklyWindowEndTimeArgs
    return base(
        days_of_weeks=list(plan.days),
        start_time=start(**_clock(plan.from_minute)),
        end_time=end(**_clock(plan.to_minute)),
    )


def _clock(minute: int) -> Mapping[str, int]:
    return {"hours": minute // 60, "minutes": minute % 60}
