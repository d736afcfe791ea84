"""Helm releases (`kubernetes:helm.sh/v3:Release`): checked and recorded; nothing is installed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.kubernetes.charts import Chart, check_chart, check_rendering, check_values, find_chart
from sandbox.kubernetes.cluster import Application, Cluster, Place
from sandbox.kubernetes.differences import Change, compare_values, format_path
from sandbox.kubernetes.errors import ApiError, RefusedError
from sandbox.kubernetes.recorded import NAMESPACE
from sandbox.kubernetes.state import INPUTS, mark_secrets
from sandbox.kubernetes.store import RecordedRelease, Store
from sandbox.kubernetes.validation import Problem
from sandbox.provider.wire import UNKNOWN, Secret, is_known, reveal

RELEASE: Final = "kubernetes:helm.sh/v3:Release"
# Seconds that the official provider waits for a release, where nothing else is said.
_TIMEOUT: Final = 300
# What the SDK sends or the state holds that is no input.
_NO_INPUTS: Final = ("compat", "resourceNames", "status", "checksum")
_PLACE: Final = ("name", "namespace")


def complete_inputs(
    news: Mapping[str, Any], olds: Mapping[str, Any], auto_name: str, namespace: str
) -> dict[str, Any]:
    """A release's inputs with its name, namespace, timeout and the chart's version filled in."""
    inputs = {key: value for key, value in news.items() if key not in _NO_INPUTS}
    if not inputs.get("name"):
        inputs["name"] = olds.get("name") or auto_name
    if not inputs.get("namespace"):
        inputs["namespace"] = namespace
    if not reveal(inputs.get("skipAwait")):
        inputs.setdefault("timeout", _TIMEOUT)
    chart = _find_chart(reveal(inputs))
    return inputs | {"version": chart.version} if chart else inputs


def check_release(inputs: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with a release's inputs: its chart, its values, and what helm says of them."""
    plain = reveal(dict(inputs))
    if plain.get("valueYamlFiles"):
        yield Problem("valueYamlFiles", "the sandbox reads no value files: use values")
    chart, values = _find_chart(plain), plain.get("values") or {}
    if chart is None and is_known([plain.get("chart"), plain.get("version")]):
        yield from check_chart(str(plain.get("chart") or ""), str(plain.get("version") or ""))
    if chart is None or values is UNKNOWN:
        return
    problems = list(check_values(chart, values))
    yield from problems
    if not problems and is_known([plain["name"], plain["namespace"]]):
        yield from check_rendering(chart, plain["name"], plain["namespace"], values)


def _find_chart(plain: Mapping[str, Any]) -> Chart | None:
    reference, version = plain.get("chart"), plain.get("version") or ""
    if not isinstance(reference, str) or version is UNKNOWN:
        return None
    return find_chart(reference, str(version))


def diff_release(state: Mapping[str, Any], news: Mapping[str, Any]) -> tuple[Change, ...]:
    """What changes of a release; another name or namespace replaces it."""
    olds = _inputs_of(state)
    changes = compare_values(olds, reveal(dict(news)))
    return tuple(Change(format_path(path), how, path[0] in _PLACE) for path, how, _ in changes)


def _inputs_of(state: Mapping[str, Any]) -> dict[str, Any]:
    inputs = reveal(state.get(INPUTS)) or {}
    return {key: value for key, value in inputs.items() if key not in _NO_INPUTS}


@dataclass(frozen=True)
class Releases:
    """The releases of one cluster, under its key in the store."""

    store: Store
    cluster: Cluster
    key: str

    def create(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Record a release and return its state.

        Raises RefusedError where helm would refuse: a name in use, a namespace that is not there.
        """
        plain = reveal(dict(inputs))
        self._require_namespace(plain)
        with self.store.transaction():
            if self.store.find_release(self.key, plain["namespace"], plain["name"]):
                raise RefusedError("cannot re-use a name that is still in use")
            return self._put(inputs, revision=1)

    def _require_namespace(self, plain: Mapping[str, Any]) -> None:
        place = Place(NAMESPACE, "", plain["namespace"])
        try:
            self.cluster.read(place)
        except ApiError as error:
            if plain.get("createNamespace"):
                manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": place.name}}
                self.cluster.create(place, manifest, Application("helm"))
            else:
                raise RefusedError(f"create: failed to create: {error}") from None

    def _put(self, inputs: Mapping[str, Any], revision: int) -> dict[str, Any]:
        plain = reveal(dict(inputs))
        chart = _find_chart(plain)
        if chart is None:
            raise RefusedError(f"chart {plain.get('chart')} is not known to the sandbox")
        status = {
            "appVersion": chart.app_version,
            "chart": chart.name,
            "name": plain["name"],
            "namespace": plain["namespace"],
            "revision": revision,
            "status": "deployed",
            "version": chart.version,
        }
        content = {"inputs": plain, "status": status}
        self.store.put_release(RecordedRelease(self.key, plain["namespace"], plain["name"], content))
        return _state(inputs, status)

    def update(self, state: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Record a release's new version and return its state; raises RefusedError if it is not there."""
        with self.store.transaction():
            release = self._require(reveal(dict(state)))
            return self._put(inputs, release.content["status"]["revision"] + 1)

    def _require(self, plain: Mapping[str, Any]) -> RecordedRelease:
        release = self.store.find_release(self.key, str(plain.get("namespace")), str(plain.get("name")))
        if release is None:
            raise RefusedError(f'"{plain.get("name")}" has no deployed releases: release: not found')
        return release

    def read(self, identity: str, inputs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """A release's state and inputs by its id (`namespace/name`), or None if it is not there."""
        namespace, _, name = identity.rpartition("/")
        release = self.store.find_release(self.key, namespace, name)
        if release is None:
            return None
        found = dict(inputs) or release.content["inputs"]
        return _state(found, release.content["status"]), found

    def delete(self, state: Mapping[str, Any]) -> None:
        """Forget a release and the objects of its kinds; raises RefusedError if it is not there."""
        with self.store.transaction():
            release = self._require(reveal(dict(state)))
            chart = _find_chart(release.content["inputs"])
            for group in chart.groups if chart else ():
                self.store.remove_group(self.key, group)
            self.store.remove_release(release)


def preview_state(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """A release's state as far as it is known before an update."""
    return _state(inputs, UNKNOWN)


def _state(inputs: Mapping[str, Any], status: Any) -> dict[str, Any]:
    marked = mark_secrets(reveal(dict(inputs)), inputs)
    return {**marked, "status": status, INPUTS: Secret(reveal(dict(inputs)))}
