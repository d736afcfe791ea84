"""The series of one pipeline: kept in the process, scraped over HTTP or pushed by a batch job."""

from collections.abc import Iterable, Iterator, Sequence
from threading import Lock, Thread
from typing import TypeVar
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from headroom_metrics.errors import MetricsError
from headroom_metrics.families import FAMILIES, LIMITS, SERVED_LABELS, Family
from headroom_metrics.gateway import Gateway, push_group, read_group
from headroom_metrics.identity import Identity, require_label

_Wrapper = TypeVar("_Wrapper", Counter, Gauge, Histogram)
_FAMILIES = {family.name: family for family in FAMILIES}
_CARRIED = frozenset(family.name for family in FAMILIES if family.is_carried)


class Scrape:
    """An HTTP endpoint that a Prometheus scrapes; `port` is the one that it got."""

    def __init__(self, server: WSGIServer, thread: Thread):
        self._server, self._thread = server, thread
        self.port: int = server.server_port

    def close(self) -> None:
        """Stop answering and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Exporter:
    """Holds every series of a pipeline. Safe in several threads; one process exports one version of a model.

    With a `gateway` the series are pushed by `push`, which is for jobs that end before they are scraped.
    `registry` is where they are registered: by default one of their own; a process that has an endpoint
    already passes that endpoint's.
    """

    def __init__(
        self, identity: Identity, *, gateway: Gateway | None = None, registry: CollectorRegistry | None = None
    ):
        self.identity = identity
        self.gateway = gateway
        self.registry = CollectorRegistry() if registry is None else registry
        self._lock = Lock()
        self._claimed: dict[str, set[str]] = {label: set() for label in LIMITS}
        self._reserved: set[str] = set()
        self._touched: set[tuple[str, tuple[str, ...]]] = set()
        self._is_restored = gateway is None
        self._metrics = {family.name: _build(family) for family in FAMILIES if family.type != "histogram"}
        self.registry.register(_ContractCollector(self._metrics))
        serving = str(identity.is_serving).lower()
        self.set(
            "ml_pipeline_info",
            1,
            kind=identity.kind,
            serving=serving,
            owner=identity.owner,
            tier=identity.tier,
        )

    def claim(self, label: str, values: Iterable[str]) -> None:
        """Declare values of a bounded label (`feature`, `metric`) before they are exported.

        More of them than LIMITS allows, or one that is no label, are refused with a MetricsError.
        """
        wanted = set(values)
        for value in wanted:
            require_label(label, value)
        with self._lock:
            together = self._claimed[label] | wanted
            if len(together) > LIMITS[label]:
                raise MetricsError(
                    f"{label}: {len(together)} values are more than the {LIMITS[label]} that a process may "
                    "export: watch the ones that matter, or split the pipeline"
                )
            self._claimed[label] = together

    def reserve(self, monitor: str) -> None:
        """Refuse a second monitor of a kind: each would overwrite what the other exports."""
        with self._lock:
            if monitor in self._reserved:
                raise MetricsError(f"{monitor}: there is one already: a process has one of each")
            self._reserved.add(monitor)

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge of the contract. `model_version` and `track` are filled in, here and below."""
        key = self._label_values(name, labels)
        self._touch(name, key)
        self._child(name, Gauge, key).set(value)

    def add(self, name: str, amount: float, **labels: str) -> None:
        """Add to a counter of the contract; 0 makes the series be there before anything happens."""
        self._child(name, Counter, self._label_values(name, labels)).inc(amount)

    def open_histogram(self, name: str, buckets: Sequence[float]) -> None:
        """Begin a histogram of the contract, with the upper bounds of its buckets."""
        self._metrics[name] = _build(_FAMILIES[name], buckets)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Add a value to a histogram of the contract that is open."""
        self._child(name, Histogram, self._label_values(name, labels)).observe(value)

    def remove(self, name: str, **labels: str) -> None:
        """Stop exporting a series: what is not known is not shown."""
        key = self._label_values(name, labels)
        self._touch(name, key)
        self._metrics[name].remove(*key)

    def clear(self, name: str) -> None:
        """Stop exporting all series of a metric that has labels of its own."""
        self._metrics[name].clear()

    def serve(self, port: int, address: str = "0.0.0.0") -> Scrape:  # noqa: S104 - pods are scraped by their address
        """Answer scrapes on `port` (0: any that is free) from a thread of its own.

        Raises OSError where the port is taken.
        """
        server, thread = start_http_server(port, address, self.registry)
        return Scrape(server, thread)

    def push(self) -> None:
        """Put all series into the Pushgateway, in the place of this job's earlier ones.

        The first push reads what the job's last run left, so that counters go on and the time of the last
        good run is kept. Raises PushError where the gateway does not answer, and MetricsError without one.
        """
        if self.gateway is None:
            raise MetricsError("the exporter has no gateway: name one in Exporter(...), or be scraped")
        self._restore(self.gateway)
        push_group(self.gateway, self.identity, self.registry)

    def _restore(self, gateway: Gateway) -> None:
        if self._is_restored:
            return
        samples = read_group(gateway, self.identity, _CARRIED)
        with self._lock:
            if self._is_restored:
                return
            for sample in samples:
                self._carry(sample)
            self._is_restored = True

    def _carry(self, sample: Sample) -> None:
        # A label that is empty is one that Prometheus does not write.
        key = tuple(sample.labels.get(label, "") for label in _label_names(_FAMILIES[sample.name]))
        if _FAMILIES[sample.name].type == "counter":
            self._child(sample.name, Counter, key).inc(sample.value)
        elif (sample.name, key) not in self._touched:
            self._child(sample.name, Gauge, key).set(sample.value)

    def _touch(self, name: str, key: tuple[str, ...]) -> None:
        if not self._is_restored:
            with self._lock:
                self._touched.add((name, key))

    def _label_values(self, name: str, labels: dict[str, str]) -> tuple[str, ...]:
        if name not in _FAMILIES:
            raise MetricsError(f"{name}: is not in the contract")
        who = self.identity
        given = {
            "environment": who.environment,
            "pipeline": who.pipeline,
            "model_version": who.model_version,
            "track": who.track,
        } | labels
        own = {label for label in _FAMILIES[name].labels if label not in SERVED_LABELS}
        if own != labels.keys():
            raise MetricsError(f"{name}: has the labels {sorted(own)}, not {sorted(labels)}")
        return tuple(given[label] for label in _label_names(_FAMILIES[name]))

    def _child(self, name: str, wrapper: type[_Wrapper], key: tuple[str, ...]) -> _Wrapper:
        metric = self._metrics.get(name)
        if not isinstance(metric, wrapper):
            raise MetricsError(f"{name}: is a {_FAMILIES[name].type}, and a histogram is opened first")
        return metric.labels(*key)


class _ContractCollector(Collector):
    """Exports the contract and no more: no `_created` series, no families without a series."""

    def __init__(self, metrics: dict[str, Counter | Gauge | Histogram]):
        self._metrics = metrics

    def describe(self) -> Iterator[Metric]:
        """Name the families, so that two exporters in one registry are refused."""
        for family in FAMILIES:
            yield Metric(family.name.removesuffix("_total"), family.meaning, family.type)

    def collect(self) -> Iterator[Metric]:
        """Yield the families that have a series."""
        for wrapper in tuple(self._metrics.values()):
            for metric in wrapper.collect():
                metric.samples = [each for each in metric.samples if not each.name.endswith("_created")]
                if metric.samples:
                    yield metric


def _label_names(family: Family) -> tuple[str, ...]:
    return ("environment", "pipeline", *family.labels)


def _build(family: Family, buckets: Sequence[float] = ()) -> Counter | Gauge | Histogram:
    if family.type == "counter":
        return Counter(family.name, family.meaning, _label_names(family), registry=None)
    if family.type == "histogram":
        return Histogram(family.name, family.meaning, _label_names(family), buckets=buckets, registry=None)
    return Gauge(family.name, family.meaning, _label_names(family), registry=None)
