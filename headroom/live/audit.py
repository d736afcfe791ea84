"""Reads the live world for an audit: many sources at once, each optional, all within one time limit."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from headroom.audit.snapshot import NOT_ASKED, Known, Snapshot, Unread
from headroom.live import cluster_pools, kueue, metrics, prometheus, quotas, stack_state
from headroom.live.connection import UnansweredError, connect
from headroom.planning.grants import Grants, keep_relevant
from headroom.planning.plan import Plan

_CLUSTER: Final = ("queues", "nodes", "unmanaged")
_FIELDS: Final = ("grants", "queue_use", "quota_use", *_CLUSTER, "node_pools", "deployed")

Put = Callable[[str, "Known[Any] | Unread"], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked, and how: every source that is None or False is left alone."""

    root: Path
    """The project's folder."""
    window_days: int
    cloud: bool = False
    """Whether Google is asked: for quotas, for node pools, for the way into the cluster."""
    prometheus: str | None = None
    """A URL, or `google`."""
    match: str = ""
    """Label matchers that tell the environment's series from others."""
    kubeconfig: Path | None = None
    context: str | None = None
    state: str | None = None
    """The path of an export of the stack, or `pulumi`."""
    limit_s: float = 120.0

    @property
    def by_kubeconfig(self) -> bool:
        """Whether a kubeconfig says the way into the cluster."""
        return self.kubeconfig is not None or self.context is not None


def take_snapshot(plan: Plan, request: Request, committed: Grants | None) -> Snapshot:
    """Return what the sources answer within the time limit; what they do not is unread, with the reason.

    Raises EndpointError where the environment names an endpoint that is none.
    """
    board = _Board()
    for name, read in _defaults(plan, committed).items():
        board.put(name, read)
    jobs = list(_jobs(plan, request))
    for names, job in jobs:
        board.expect(names)
        threading.Thread(target=board.run, args=(names, job), daemon=True).start()
    board.wait(request.limit_s)
    return Snapshot(
        at=datetime.now(UTC),
        window_days=request.window_days,
        committed=committed,
        **board.answers(request.limit_s),
    )


class _Board:
    """Where answers are put as they come; threads that never come back are left behind."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._answers: dict[str, Known[Any] | Unread] = {}
        self._open: set[str] = set()
        self._fault: Exception | None = None

    def expect(self, names: tuple[str, ...]) -> None:
        """Forget what is there of `names`, and wait for it."""
        with self._changed:
            for name in names:
                self._answers.pop(name, None)
                self._open.add(name)

    def put(self, name: str, read: Known[Any] | Unread) -> None:
        """Note an answer; the first one counts."""
        with self._changed:
            self._answers.setdefault(name, read)
            self._open.discard(name)
            self._changed.notify_all()

    def run(self, names: tuple[str, ...], job: Callable[[Put], None]) -> None:
        """Run a job; why it fails is the answer of all that it has not answered by then."""
        try:
            job(self.put)
        except UnansweredError as error:
            for name in names:
                self.put(name, Unread(str(error), error.remedy))
        except TimeoutError:
            return
        except Exception as error:
            with self._changed:
                self._fault = error
                self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait until all is answered, or so long."""
        end = time.monotonic() + seconds
        with self._changed:
            while self._open and self._fault is None and (left := end - time.monotonic()) > 0:
                self._changed.wait(left)
            if self._fault is not None:
                raise self._fault

    def answers(self, seconds: float) -> dict[str, Any]:
        """Return an answer for every part of a snapshot."""
        late = Unread(f"there was no answer within {seconds:.0f} s")
        with self._changed:
            return {name: self._answers.get(name, late) for name in _FIELDS}


def _defaults(plan: Plan, committed: Grants | None) -> dict[str, Known[Any] | Unread]:
    file = f"quotas/{plan.environment}.json"
    read: dict[str, Known[Any] | Unread] = {name: Unread(NOT_ASKED, asked=False) for name in _FIELDS}
    if committed is None:
        remedy = f"headroom quota pull -s {plan.environment}"
        read["grants"] = Unread(f"there is no {file}, and the cloud {NOT_ASKED}", remedy, asked=False)
    else:
        read["grants"] = Known(committed, committed.pulled, file)
    return read


def _jobs(plan: Plan, request: Request) -> Iterator[tuple[tuple[str, ...], Callable[[Put], None]]]:
    names: Future[Mapping[str, str]] = Future()
    if request.cloud:
        yield ("grants",), partial(_read_grants, plan, names)
        pools = ("node_pools",) if request.by_kubeconfig else ("node_pools", *_CLUSTER)
        yield pools, partial(_read_gke, plan, request)
    else:
        names.set_result({})
    if request.prometheus:
        yield ("queue_use", "quota_use"), partial(_read_use, plan, request, names)
    if request.by_kubeconfig:
        yield _CLUSTER, partial(_read_by_kubeconfig, request)
    if request.state:
        yield ("deployed",), partial(_read_state, plan, request)


def _known(value: Any, origin: str, gaps: tuple[str, ...] = ()) -> Known[Any]:
    return Known(value, datetime.now(UTC), origin, gaps)


def _read_grants(plan: Plan, names: Future[Mapping[str, str]], put: Put) -> None:
    try:
        connection = connect(plan.project)
        services = sorted({draw.quota.service for draw in plan.quota})
        listed, metric_names = quotas.list_limits(connection, services)
        names.set_result(metric_names)
    finally:
        if not names.done():
            names.set_result({})
    asked, gaps = None, ()
    try:
        asked = quotas.list_preferences(connection)
    except UnansweredError as error:
        gaps = (f"requests for quota: {error}",)
    grants = keep_relevant(listed, plan.quota, plan.project, plan.region, datetime.now(UTC), asked)
    put("grants", _known(grants, "cloudquotas.googleapis.com", gaps))


def _read_use(plan: Plan, request: Request, names: Future[Mapping[str, str]], put: Put) -> None:
    url = request.prometheus or prometheus.GOOGLE
    source = prometheus.open_prometheus(url, plan.project)
    origin = "Cloud Monitoring" if url == prometheus.GOOGLE else _host_of(source.base)
    window = metrics.open_window(source, request.window_days)
    found = metrics.read_queue_use(source, window, request.match)
    nothing = (
        f"has no series of Kueue's {{{request.match}}} of {request.window_days} days: are they collected?"
    )
    put("queue_use", _known(found, origin) if found else Unread(f"{origin} {nothing}"))
    lines = [draw.quota for draw in plan.quota]
    use = metrics.read_quota_use(source, window, lines, names.result(timeout=request.limit_s))
    # A Prometheus in the cluster has none of Google's series, which is no fault of it.
    silent = Unread(f"{origin} has no series of cloud quotas", asked=url == prometheus.GOOGLE)
    put("quota_use", _known(use, origin) if use else silent)


def _read_gke(plan: Plan, request: Request, put: Put) -> None:
    connection, name = connect(plan.project), f"{plan.environment}-cluster"
    cluster = cluster_pools.get_cluster(connection, plan.region, name)
    put("node_pools", _known(cluster.node_pools, "container.googleapis.com", cluster.gaps))
    if not request.by_kubeconfig:
        endpoint = cluster_pools.require_endpoint(cluster, name)
        _read_cluster(kueue.open_endpoint(connection, endpoint), endpoint, put)


def _read_by_kubeconfig(request: Request, put: Put) -> None:
    client = kueue.open_kubeconfig(request.kubeconfig, request.context)
    _read_cluster(client, _host_of(client.configuration.host), put)


def _read_cluster(client: Any, origin: str, put: Put) -> None:
    def read_queues() -> None:
        queues, gaps = kueue.read_queues(client)
        put("queues", _known(queues, origin, gaps))

    def read_pods() -> None:
        nodes = kueue.read_nodes(client)
        put("nodes", _known(kueue.count_nodes(nodes), origin))
        put("unmanaged", _known(kueue.read_unmanaged(client, nodes), origin))

    _each((("queues",), read_queues), (("nodes", "unmanaged"), read_pods), put=put)


def _each(*steps: tuple[tuple[str, ...], Callable[[], None]], put: Put) -> None:
    """Run steps of which each may fail without the others."""
    for names, step in steps:
        try:
            step()
        except UnansweredError as error:
            for name in names:
                put(name, Unread(str(error), error.remedy))


def _read_state(plan: Plan, request: Request, put: Put) -> None:
    source = request.state or stack_state.PULUMI
    deployed, gaps = stack_state.load_state(source, request.root, plan.environment)
    put("deployed", _known(deployed, "pulumi stack export" if source == stack_state.PULUMI else source, gaps))


def _host_of(url: str) -> str:
    """What is shown of a URL: never a password in it."""
    return url.partition("//")[2].rpartition("@")[2].split("/", 1)[0] or url
