"""cloudbilling.googleapis.com: who pays for a project."""

import re
from collections.abc import Mapping
from typing import Any, Final

from sandbox.google.apis.exchange import Call, Route

_ACCOUNT: Final = "billingAccounts/012345-6789AB-CDEF01"


def get_billing_info(call: Call) -> Mapping[str, Any]:
    """The project's billing account, if it has one."""
    billed = call.settings.billed
    return {
        "name": f"projects/{call.project}/billingInfo",
        "projectId": call.project,
        "billingAccountName": _ACCOUNT if billed else "",
        "billingEnabled": billed,
    }


ROUTES: Final = (
    Route(
        "cloudbilling.googleapis.com",
        "GET",
        re.compile(r"/v1/projects/(?P<project>[^/:]+)/billingInfo"),
        get_billing_info,
    ),
)
