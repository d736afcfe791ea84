"""Cloud Quotas: what Google has granted to a project, and what it was asked for."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from headroom.live.connection import Connection, answers, bounds
from headroom.planning.grants import UNLIMITED, Grant, Preference

_EVERYWHERE: Final = "global"


def list_grants(
    connection: Connection, services: Iterable[str] = ("compute.googleapis.com",)
) -> tuple[Grant, ...]:
    """Return all limits of the project's `services`, in the order of the API: more specific ones first.

    A limit that holds in several regions becomes a grant for each. Raises UnansweredError.
    """
    return list_limits(connection, services)[0]


def list_limits(
    connection: Connection, services: Iterable[str] = ("compute.googleapis.com",)
) -> tuple[tuple[Grant, ...], dict[str, str]]:
    """Return what `list_grants` does, and for each quota id the metric that its use is counted by.

    Raises UnansweredError.
    """
    from google.cloud.cloudquotas_v1 import CloudQuotasClient

    with answers(connection.project):
        client = connection.client(CloudQuotasClient)
        infos = [
            info
            for service in services
            for info in client.list_quota_infos(
                parent=f"projects/{connection.project}/locations/global/services/{service}", **bounds()
            )
        ]
        grants = tuple(grant for info in infos for grant in _read_info(info))
        return grants, {info.quota_id: info.metric for info in infos}


def list_preferences(connection: Connection) -> tuple[Preference, ...]:
    """Return all requests for quota that the project has, whoever made them. Raises UnansweredError."""
    from google.cloud.cloudquotas_v1 import CloudQuotasClient

    with answers(connection.project):
        client = connection.client(CloudQuotasClient)
        parent = f"projects/{connection.project}/locations/global"
        return tuple(map(_read_preference, client.list_quota_preferences(parent=parent, **bounds())))


def _read_preference(found: Any) -> Preference:
    dimensions = dict(found.dimensions)
    region = dimensions.pop("region", None)
    config = found.quota_config
    return Preference(
        name=found.name.rpartition("/")[2],
        service=found.service,
        quota_id=found.quota_id,
        region=region,
        dimensions=tuple(sorted(dimensions.items())),
        preferred=config.preferred_value,
        granted=config.granted_value,
        reconciling=found.reconciling,
    )


def _read_info(info: Any) -> Iterator[Grant]:
    for row in info.dimensions_infos:
        # A row without details says nothing; in details, protobuf cannot tell an absent value from zero, and
        # zero is the more cautious reading.
        if "details" not in row or row.details.value < UNLIMITED:
            continue
        dimensions = dict(row.dimensions)
        region = dimensions.pop("region", None)
        for place in [region] if region else _places(row.applicable_locations):
            yield Grant(
                info.service, info.quota_id, place, tuple(sorted(dimensions.items())), row.details.value
            )


def _places(locations: Iterable[str]) -> list[str | None]:
    """Return the regions that a limit without a region is for; None: the project as a whole.

    The limit of a zone is not that of its region, so zones are left out
    (`NVIDIA-L4-GPUS-per-project-zone` is unlimited where the region's is 1).
    """
    names = [name for name in locations if name != _EVERYWHERE]
    if not names:
        return [None]
    return [name for name in names if name.count("-") == 1]
