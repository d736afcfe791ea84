"""cloudidentity.googleapis.com: groups by their address."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

from sandbox.google.apis.exchange import Call, Route, invalid
from sandbox.google.errors import not_found


def look_up_group(call: Call) -> Mapping[str, Any]:
    """The resource name of the group whose address the query gives."""
    address = "".join(call.values("groupKey.id"))
    if "@" not in address:
        raise invalid("groupKey.id must be the address of a group.")
    if address not in call.settings.groups:
        raise not_found(f"groups/{address}")
    return {"name": f"groups/{hashlib.sha256(address.encode()).hexdigest()[:15]}"}


ROUTES: Final = (
    Route(
        "cloudidentity.googleapis.com",
        "GET",
        re.compile(r"/v1/groups:lookup"),
        look_up_group,
        frozenset({"groupKey.id"}),
    ),
)
