"""How new models reach their users: targets, delivery pipelines, automations, and freezes."""

from collections.abc import Mapping

import pulumi
import pulumi_gcp as gcp

from headroom.planning.addresses import list_members
from headroom.planning.delivery import (
    CUTBACK_SECONDS,
    FREEZES,
    HELD_PHASES,
    ROUTE_UPDATE_SECONDS,
    TOPICS,
    DeliveryPlan,
)
from headroom.planning.rollouts import CANARY, STABLE, PhasePlan, RolloutPlan, TargetPlan
from infra.components.alerting import Alerting
from infra.components.base import Component, Scope
from infra.components.cluster import Cluster
from infra.components.delivery_access import DeliveryAccess
from infra.components.freezes import restrict
from infra.components.region_gates import find_gate, read_gates
from infra.components.services import Services

_deploy = gcp.clouddeploy

_APPROVER = "roles/clouddeploy.approver"
_LEAST_TIMEOUT_SECONDS = 3_600


class Delivery(Component):
    """A delivery pipeline for each delivered model, with staging before production.

    What a release brings, Deployment, Service and route, is no resource of this program: Cloud Deploy
    rewrites it in every phase.
    """

    def __init__(
        self,
        scope: Scope,
        plan: DeliveryPlan,
        services: Services,
        cluster: Cluster,
        alerting: Alerting,
        access: DeliveryAccess,
    ) -> None:
        super().__init__("Delivery", scope)
        self._apis = [services.apis["clouddeploy"], services.apis["cloudbuild"]]
        self._cluster, self._policies, self._access = cluster.cluster, alerting.policies, access
        self._far_gates = {site.stack: read_gates(site.stack) for site in plan.sites}
        for topic in TOPICS:
            self._topic(topic, services)
        self._accounts = plan.accounts_of
        self.productions: dict[str, dict[str, gcp.clouddeploy.Target]] = {}
        self.pipelines = {rollout.pipeline: self._deliver(rollout) for rollout in plan.rollouts}
        for rollout in plan.rollouts:
            for member in list_members(rollout.approvers):
                self._let_approve_on_pipeline(member, member, rollout.pipeline, _keep_to(rollout, member))
            for region in rollout.regions:
                for member in list_members(region.approvals.approve):
                    self._let_approve_on_target(member, member, rollout.pipeline, region.place_suffix)
        if plan.freezes:
            self._freeze(plan)
        self.register_outputs({})

    def _topic(self, name: str, services: Services) -> None:
        self.own(
            gcp.pubsub.Topic(
                self.scope.name(name),
                name=name,
                project=self.scope.project,
                message_retention_duration="604800s",
                opts=self.options(depends_on=[services.apis["pubsub"]]),
            )
        )

    def _deliver(self, plan: RolloutPlan) -> gcp.clouddeploy.DeliveryPipeline:
        targets = {target.key: self._target(plan, target) for target in plan.targets}
        pipeline = self.own(
            _deploy.DeliveryPipeline(
                self.scope.name(plan.pipeline),
                name=self.scope.name(plan.pipeline),
                project=self.scope.project,
                location=self.scope.region,
                description=f"New models of {plan.pipeline}",
                annotations={HELD_PHASES: " ".join(plan.held_phases) or "none"},
                serial_pipeline=_deploy.DeliveryPipelineSerialPipelineArgs(
                    stages=[self._staging(plan.staging), *map(self._production, plan.regions)]
                ),
                opts=self.options(depends_on=list(targets.values())),
            )
        )
        self.productions[plan.pipeline] = {
            each.place_suffix: targets[each.production.key] for each in plan.regions
        }
        self._automate(plan, pipeline)
        self._admit(plan, pipeline)
        return pipeline

    def _target(self, plan: RolloutPlan, target: TargetPlan) -> gcp.clouddeploy.Target:
        timeout = max(_LEAST_TIMEOUT_SECONDS, plan.validation.timeout_seconds)
        is_here = target.site.stack == self.scope.environment
        return self.own(
            _deploy.Target(
                self.scope.name(target.label),
                name=target.name,
                project=self.scope.project,
                location=self.scope.region,
                description=f"{plan.pipeline}, {target.key}",
                require_approval=target.approval,
                gke=_deploy.TargetGkeArgs(
                    cluster=self._cluster.id if is_here else target.site.cluster, dns_endpoint=True
                ),
                execution_configs=[
                    _deploy.TargetExecutionConfigArgs(
                        usages=list(account.usages),
                        service_account=self._access.runners[account.id].email,
                        execution_timeout=f"{timeout}s",
                    )
                    for account in self._accounts(target.name)
                ],
                opts=self.options(depends_on=[*self._apis, *self._access.grants]),
            )
        )

    def _staging(self, target: TargetPlan) -> gcp.clouddeploy.DeliveryPipelineSerialPipelineStageArgs:
        """Staging is deployed at once, and then validated."""
        return _deploy.DeliveryPipelineSerialPipelineStageArgs(
            target_id=target.name,
            profiles=[target.stage],
            strategy=_deploy.DeliveryPipelineSerialPipelineStageStrategyArgs(
                standard=_deploy.DeliveryPipelineSerialPipelineStageStrategyStandardArgs(verify=True)
            ),
        )

    def _production(self, plan: RolloutPlan) -> gcp.clouddeploy.DeliveryPipelineSerialPipelineStageArgs:
        args = _deploy.DeliveryPipelineSerialPipelineStageStrategyCanaryCustomCanaryDeploymentArgs
        phase = _deploy.DeliveryPipelineSerialPipelineStageStrategyCanaryCustomCanaryDeploymentPhaseConfigArgs
        return _deploy.DeliveryPipelineSerialPipelineStageArgs(
            target_id=plan.production.name,
            profiles=[plan.production.key],
            strategy=_deploy.DeliveryPipelineSerialPipelineStageStrategyArgs(
                canary=_deploy.DeliveryPipelineSerialPipelineStageStrategyCanaryArgs(
                    runtime_config=_runtime(plan.pipeline),
                    custom_canary_deployment=args(
                        phase_configs=[
                            *(self._phase(plan, each) for each in plan.phases),
                            phase(
                                phase_id=STABLE,
                                percentage=100,
                                profiles=[plan.profile(STABLE)],
                                verify=False,
                            ),
                        ]
                    ),
                )
            ),
        )

    def _phase(
        self, plan: RolloutPlan, phase: PhasePlan
    ) -> (
        gcp.clouddeploy.DeliveryPipelineSerialPipelineStageStrategyCanaryCustomCanaryDeploymentPhaseConfigArgs
    ):
        """A phase is verified first: a canary that exports nothing would be judged by nothing."""
        base = "DeliveryPipelineSerialPipelineStageStrategyCanaryCustomCanaryDeploymentPhaseConfig"
        check = getattr(_deploy, f"{base}AnalysisGoogleCloudAlertPolicyCheckArgs")
        labels = {"environment": plan.production.environment, "pipeline": plan.pipeline, "track": CANARY}
        checks = [
            check(id=gate.policy, alert_policies=[self._gate(plan, gate.policy)], labels=labels)
            for gate in plan.gates
        ]
        return getattr(_deploy, f"{base}Args")(
            phase_id=phase.id,
            percentage=phase.percent,
            profiles=[plan.profile(CANARY)],
            verify=True,
            analysis=getattr(_deploy, f"{base}AnalysisArgs")(
                duration=f"{phase.watch_seconds}s",
                google_cloud=getattr(_deploy, f"{base}AnalysisGoogleCloudArgs")(alert_policy_checks=checks),
            ),
        )

    def _gate(self, plan: RolloutPlan, policy: str) -> pulumi.Input[str]:
        stack = plan.production.site.stack
        gates = self._far_gates.get(stack)
        return (
            gates.apply(lambda found: find_gate(found, policy, stack))
            if gates
            else self._policies[policy].name
        )

    def _automate(self, plan: RolloutPlan, pipeline: gcp.clouddeploy.DeliveryPipeline) -> None:
        """Nobody has to be there: what was validated is promoted, what was watched goes on, what failed is
        tried again and then rolled back."""
        self._automation(plan, pipeline, plan.staging, [_promote(0)])
        following = (*plan.further, None)
        for region, after in zip(plan.regions, following, strict=True):
            going_on = [_advance(region)] if region.free_phases else []
            rules = [*going_on, _repair(region.retries), *([_promote(after.wait_seconds)] if after else [])]
            self._automation(plan, pipeline, region.production, rules)

    def _automation(
        self,
        plan: RolloutPlan,
        pipeline: gcp.clouddeploy.DeliveryPipeline,
        target: TargetPlan,
        rules: list[gcp.clouddeploy.AutomationRuleArgs],
    ) -> None:
        self.own(
            _deploy.Automation(
                self.scope.name(f"{plan.pipeline}-after-{target.key}"),
                name=f"after-{target.key}",
                project=self.scope.project,
                location=self.scope.region,
                delivery_pipeline=pipeline.name,
                service_account=self._access.automation.email,
                selector=_deploy.AutomationSelectorArgs(
                    targets=[_deploy.AutomationSelectorTargetArgs(id=target.name)]
                ),
                rules=rules,
                opts=self.options(depends_on=self._access.grants),
            )
        )

    @property
    def roles(self) -> Mapping[str, gcp.projects.IAMCustomRole]:
        """The project's own roles, by whom they are for."""
        return self._access.roles

    def let_approve(self, name: str, member: pulumi.Input[str], pipeline: str) -> None:
        """Let somebody approve rollouts of a pipeline: it takes the right on it and on its targets."""
        self._let_approve_on_pipeline(name, member, pipeline)
        for suffix in self.productions[pipeline]:
            self._let_approve_on_target(name, member, pipeline, suffix)

    def _let_approve_on_pipeline(
        self,
        name: str,
        member: pulumi.Input[str],
        pipeline: str,
        condition: gcp.clouddeploy.DeliveryPipelineIamMemberConditionArgs | None = None,
    ) -> None:
        what, of = f"{pipeline}-approver", self.pipelines[pipeline]
        self.own(self._grant(what, name, member, _APPROVER, of, condition))

    def _let_approve_on_target(
        self, name: str, member: pulumi.Input[str], pipeline: str, suffix: str
    ) -> None:
        self.own(
            _deploy.TargetIamMember(
                self.scope.name(f"{pipeline}-target-approver-{name}{suffix}"),
                project=self.scope.project,
                location=self.scope.region,
                name=self.productions[pipeline][suffix].name,
                role=_APPROVER,
                member=member,
                opts=self.options(),
            )
        )

    def _admit(self, plan: RolloutPlan, pipeline: gcp.clouddeploy.DeliveryPipeline) -> None:
        people = plan.approvals
        roles = {whom: role.name for whom, role in self._access.roles.items()}
        for whom, members in (
            ("releaser", people.release),
            ("increaser", people.increase),
            ("roller_back", people.roll_back),
        ):
            for member in list_members(members):
                self.own(self._grant(f"{plan.pipeline}-{whom}", member, member, roles[whom], pipeline))

    def _grant(
        self,
        what: str,
        name: str,
        member: pulumi.Input[str],
        role: pulumi.Input[str],
        pipeline: gcp.clouddeploy.DeliveryPipeline,
        condition: gcp.clouddeploy.DeliveryPipelineIamMemberConditionArgs | None = None,
    ) -> gcp.clouddeploy.DeliveryPipelineIamMember:
        return _deploy.DeliveryPipelineIamMember(
            self.scope.name(f"{what}-{name}"),
            project=self.scope.project,
            location=self.scope.region,
            name=pipeline.name,
            role=role,
            member=member,
            condition=condition,
            opts=self.options(),
        )

    def _freeze(self, plan: DeliveryPlan) -> None:
        selector = _deploy.DeployPolicySelectorDeliveryPipelineArgs(
            id="*", labels={"environment": self.scope.environment}
        )
        self.own(
            _deploy.DeployPolicy(
                self.scope.name(FREEZES),
                name=self.scope.name(FREEZES),
                project=self.scope.project,
                location=self.scope.region,
                description="Nothing is delivered; rolling back is possible",
                selectors=[_deploy.DeployPolicySelectorArgs(delivery_pipeline=selector)],
                rules=[restrict(freeze) for freeze in plan.freezes],
                opts=self.options(depends_on=self._apis),
            )
        )


def _keep_to(plan: RolloutPlan, member: str) -> gcp.clouddeploy.DeliveryPipelineIamMemberConditionArgs | None:
    """Who approves in some regions alone has the right on the pipeline for these alone
    (cloud.google.com/deploy/docs/securing/iam, 2026-11); None: for all."""
    own = plan.list_approved(member)
    if len(own) == len(plan.regions):
        return None
    target = 'api.getAttribute("clouddeploy.googleapis.com/rolloutTarget", "")'
    return _deploy.DeliveryPipelineIamMemberConditionArgs(
        title="approves in its own regions", expression=" || ".join(f'{target} == "{name}"' for name in own)
    )


def _runtime(
    pipeline: str,
) -> gcp.clouddeploy.DeliveryPipelineSerialPipelineStageStrategyCanaryRuntimeConfigArgs:
    base = "DeliveryPipelineSerialPipelineStageStrategyCanaryRuntimeConfig"
    mesh = getattr(_deploy, f"{base}KubernetesGatewayServiceMeshArgs")(
        http_route=pipeline,
        service=pipeline,
        deployment=pipeline,
        route_update_wait_time=f"{ROUTE_UPDATE_SECONDS}s",
        stable_cutback_duration=f"{CUTBACK_SECONDS}s",
    )
    kubernetes = getattr(_deploy, f"{base}KubernetesArgs")(gateway_service_mesh=mesh)
    return getattr(_deploy, f"{base}Args")(kubernetes=kubernetes)


def _promote(wait_seconds: int) -> gcp.clouddeploy.AutomationRuleArgs:
    return _deploy.AutomationRuleArgs(
        promote_release_rule=_deploy.AutomationRulePromoteReleaseRuleArgs(
            id="promote", destination_target_id="@next", wait=f"{wait_seconds}s" if wait_seconds else None
        )
    )


def _advance(plan: RolloutPlan) -> gcp.clouddeploy.AutomationRuleArgs:
    return _deploy.AutomationRuleArgs(
        advance_rollout_rule=_deploy.AutomationRuleAdvanceRolloutRuleArgs(
            id="advance", source_phases=list(plan.free_phases)
        )
    )


def _repair(retries: int) -> gcp.clouddeploy.AutomationRuleArgs:
    """Of every job of every phase: an alert that still fires fails a repeated analysis at once."""
    phase = _deploy.AutomationRuleRepairRolloutRuleRepairPhaseArgs
    retry = _deploy.AutomationRuleRepairRolloutRuleRepairPhaseRetryArgs(attempts=str(retries))
    rollback = _deploy.AutomationRuleRepairRolloutRuleRepairPhaseRollbackArgs(destination_phase=STABLE)
    return _deploy.AutomationRuleArgs(
        repair_rollout_rule=_deploy.AutomationRuleRepairRolloutRuleArgs(
            id="repair",
            repair_phases=[*([phase(retry=retry)] if retries else []), phase(rollback=rollback)],
        )
    )
