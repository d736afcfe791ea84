"""What people look at: dashboards, and services with their objectives."""

from collections.abc import Sequence

import pulumi_gcp as gcp

from headroom.planning.dashboards import DashboardPlan
from headroom.planning.slos import ROLLING_DAYS, ObjectivePlan, ServicePlan
from infra.components.base import Component, Scope
from infra.components.services import Services


class Dashboards(Component):
    """As many dashboards for a thousand pipelines as for one, and the services that are asked for."""

    def __init__(
        self,
        scope: Scope,
        plans: Sequence[DashboardPlan],
        services: Sequence[ServicePlan],
        apis: Services,
    ) -> None:
        super().__init__("Dashboards", scope)
        self._ready = [apis.apis["monitoring"]]
        for plan in plans:
            self.own(
                gcp.monitoring.Dashboard(
                    scope.name(f"dashboard-{plan.name}"),
                    project=scope.project,
                    dashboard_json=plan.content,
                    opts=self.options(depends_on=self._ready),
                )
            )
        for service in services:
            self._serve(service)
        self.register_outputs({})

    def _serve(self, plan: ServicePlan) -> None:
        name = self.scope.name(plan.pipeline)
        service = self.own(
            gcp.monitoring.CustomService(
                self.scope.name(f"service-{plan.pipeline}"),
                project=self.scope.project,
                service_id=name,
                display_name=name,
                opts=self.options(depends_on=self._ready),
            )
        )
        for objective in plan.objectives:
            self.own(self._promise(plan.pipeline, service, objective))

    def _promise(
        self, pipeline: str, service: gcp.monitoring.CustomService, plan: ObjectivePlan
    ) -> gcp.monitoring.Slo:
        return gcp.monitoring.Slo(
            self.scope.name(f"slo-{pipeline}-{plan.name}"),
            project=self.scope.project,
            service=service.service_id,
            slo_id=plan.name,
            display_name=f"{plan.name} {plan.goal:.4g}",
            goal=plan.goal,
            rolling_period_days=ROLLING_DAYS,
            request_based_sli=gcp.monitoring.SloRequestBasedSliArgs(
                good_total_ratio=gcp.monitoring.SloRequestBasedSliGoodTotalRatioArgs(
                    bad_service_filter=plan.bad, total_service_filter=plan.total
                )
            ),
            opts=self.options(),
        )
