"""monitoring.googleapis.com: its Prometheus API, of a world in which nothing runs and nothing is measured."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs

from sandbox.google.apis.exchange import Call, Route, denied, invalid

_API: Final = "monitoring.googleapis.com"
_CLOCK: Final = "vector(time())"
_PERMISSION: Final = "monitoring.timeSeries.list"


def answer_query(call: Call) -> Mapping[str, Any]:
    """The time, to whoever asks for it; of any metric there are no series."""
    if _PERMISSION in call.settings.denied_permissions:
        raise denied(_PERMISSION, f"projects/{call.project}")
    asked = parse_qs(call.content.decode("utf-8", "replace"))
    if "query" not in asked:
        raise invalid("query is missing")
    is_now = call.names["method"] == "query"
    time = [{"metric": {}, "value": [call.moment, str(call.moment)]}] if is_now else []
    result = time if asked["query"][-1] == _CLOCK else []
    return {"status": "success", "data": {"resultType": "vector" if is_now else "matrix", "result": result}}


ROUTES: Final = (
    Route(
        _API,
        "POST",
        re.compile(
            r"/v1/projects/(?P<project>[^/:]+)/location/global/prometheus/api/v1/(?P<method>query|query_range)"
        ),
        answer_query,
    ),
)
