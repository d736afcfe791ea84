"""Requests for quota, and what Google has answered."""

from typing import Any

import pulumi
import pulumi_gcp as gcp

from headroom.planning.cloud_quotas import (
    CloudQuotasPlan,
    QuotaRequest,
    judge_request,
    place_request,
    preference_id,
)
from infra.components.base import Component, Scope
from infra.components.services import Services

_AS_IT_IS = ("contactEmail", "ignoreSafetyChecks", "justification", "quotaConfig")
"""What a settled preference keeps; all else of it tells it from others.

Google or the provider does not tell the first three, so an import would find them changed.
"""


class CloudQuotas(Component):
    """A preference for each request. Pulumi does not wait for the answer: `answers` says what came so far.

    A destroy takes preferences out of the state and asks nothing of Google, which cannot delete them (the
    provider's resourceCloudQuotasQuotaPreferenceDelete, 2026-08-21): they stay in force without more ado.
    A decrease is never forced: safety checks are not ignored.
    """

    def __init__(self, scope: Scope, plan: CloudQuotasPlan, services: Services) -> None:
        super().__init__("CloudQuotas", scope)
        self._plan = plan
        self._api = services.apis["cloudquotas"]
        self.answers = {request.key: _answer(request, self._make(request)) for request in plan.requests}
        self.register_outputs({})

    def _make(self, request: QuotaRequest) -> gcp.cloudquota.SQuotaPreference:
        return self.own(
            gcp.cloudquota.SQuotaPreference(
                request.key,
                parent=f"projects/{self.scope.project}",
                name=request.name,
                service=request.quota.service,
                quota_id=request.quota.quota_id,
                dimensions=place_request(request.quota),
                contact_email=self._plan.contact,
                justification=self._plan.justification or None,
                quota_config=gcp.cloudquota.SQuotaPreferenceQuotaConfigArgs(
                    preferred_value=str(request.preferred)
                ),
                opts=self._options(request),
            )
        )

    def _options(self, request: QuotaRequest) -> pulumi.ResourceOptions:
        options = self.options(depends_on=[self._api], ignore=_AS_IT_IS if request.settled else ())
        # No child of the component: `pulumi import` finds its place even before the component is there.
        options.parent, options.provider = None, self.scope.provider
        if request.settled:
            # Adopts what is not in the state, such as after a destroy; nothing happens to what is.
            options.import_ = preference_id(self.scope.project, request.name)
        return options


def _answer(
    request: QuotaRequest, preference: gcp.cloudquota.SQuotaPreference
) -> pulumi.Output[dict[str, object]]:
    def describe(found: list[Any]) -> dict[str, object]:
        preferred, granted, reconciling = found
        granted = int(granted) if granted else None
        return {
            "service": request.quota.service,
            "quotaId": request.quota.quota_id,
            "dimensions": dict(place_request(request.quota)),
            "preferredValue": int(preferred),
            "grantedValue": granted,
            "state": judge_request(int(preferred), granted, reconciling=bool(reconciling)),
        }

    config = preference.quota_config
    return pulumi.Output.all(config.preferred_value, config.granted_value, preference.reconciling).apply(
        describe
    )
