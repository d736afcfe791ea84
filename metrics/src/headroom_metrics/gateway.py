"""The Pushgateway, which carries the series of jobs that end before they are scraped."""

from collections.abc import Collection
from dataclasses import dataclass
from http.client import HTTPException
from urllib.request import urlopen

from prometheus_client import CollectorRegistry, push_to_gateway
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from headroom_metrics.errors import MetricsError, PushError
from headroom_metrics.identity import Identity, require_name, require_seconds


@dataclass(frozen=True)
class Gateway:
    """Where to push, and as which `job`: jobs of one pipeline that overlap need names that differ."""

    url: str
    job: str
    timeout_seconds: float = 10

    def __post_init__(self) -> None:
        """Refuse what is no http(s) address, and a job without a proper name."""
        if not self.url.startswith(("http://", "https://")):
            raise MetricsError(f"gateway: {self.url!r} is no address: http://HOST:9091")
        require_name("job", self.job)
        require_seconds("timeout_seconds", self.timeout_seconds)


def push_group(gateway: Gateway, identity: Identity, registry: CollectorRegistry) -> None:
    """Replace this job's group by what the registry holds; raises PushError where that fails."""
    try:
        push_to_gateway(
            gateway.url, gateway.job, registry, _grouping_key(identity), timeout=gateway.timeout_seconds
        )
    except (OSError, HTTPException) as error:
        raise PushError(f"{gateway.url}: did not take the metrics of {identity.pipeline}: {error}") from error


def read_group(gateway: Gateway, identity: Identity, names: Collection[str]) -> list[Sample]:
    """Return the samples of this job's group whose names are wanted; raises PushError where that fails."""
    address = gateway.url.rstrip("/") + "/metrics"
    try:
        with urlopen(address, timeout=gateway.timeout_seconds) as answer:  # noqa: S310 - http(s), as Gateway requires
            text = answer.read().decode()
        group = _grouping_key(identity) | {"job": gateway.job}
        return [
            sample
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name in names and sample.labels.items() >= group.items()
        ]
    except (OSError, HTTPException, ValueError) as error:
        raise PushError(f"{gateway.url}: cannot be read: {error}") from error


def _grouping_key(identity: Identity) -> dict[str, str]:
    return {"environment": identity.environment, "pipeline": identity.pipeline}
