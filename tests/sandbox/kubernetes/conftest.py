"""A record in a temporary file, and a provider that serves it by direct calls."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from sandbox.kubernetes.cluster import Place
from sandbox.kubernetes.connection import KUBECONFIG_VARIABLE
from sandbox.kubernetes.kinds import load_kinds
from sandbox.kubernetes.provider import KubernetesProvider
from sandbox.kubernetes.recorded import RETRY_SCALE_VARIABLE, Identity, RecordedCluster
from sandbox.kubernetes.store import FILE, RecordedRelease, Store
from sandbox.provider.wire import decode, encode

NAMESPACE = "kubernetes:core/v1:Namespace"
QUOTA = "kubernetes:core/v1:ResourceQuota"
QUEUE = "kubernetes:kueue.x-k8s.io/v1beta2:ClusterQueue"
ALL_ORIGINS = frozenset({"monitoring", "gateway", "provisioning"})


class CallAbortedError(Exception):
    """What gRPC raises in a servicer that answers with an error."""


class IncompleteCallError(CallAbortedError):
    """The same with what became of the resource."""

    def __init__(self, message: str, detail: Any) -> None:
        self.detail = detail
        super().__init__(message)


class Context:
    """The part of a gRPC context that the provider uses."""

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        raise CallAbortedError(f"{code.name}: {details}")

    def abort_with_status(self, status: Any) -> None:
        from google.rpc import status_pb2

        ((_, content),) = status.trailing_metadata
        detail = provider_pb2.ErrorResourceInitFailed()
        assert status_pb2.Status.FromString(content).details[0].Unpack(detail)
        raise IncompleteCallError(status.details, detail)


class Engine:
    """Speaks to a provider as the engine does, with plain dictionaries."""

    def __init__(self, provider: KubernetesProvider) -> None:
        self.provider = provider
        self.context: Any = Context()

    def configure(self, **values: Any) -> None:
        request = provider_pb2.ConfigureRequest(args=encode(values))
        self.provider.Configure(request, self.context)

    def check(
        self, token: str, news: dict, olds: dict | None = None, name: str = "thing"
    ) -> tuple[dict, dict]:
        request = provider_pb2.CheckRequest(
            urn=urn(token, name), type=token, news=encode(news), olds=encode(olds or {}), randomSeed=b"seed"
        )
        answer = self.provider.Check(request, self.context)
        return decode(answer.inputs), {failure.property: failure.reason for failure in answer.failures}

    def create(self, token: str, inputs: dict, preview: bool = False) -> tuple[str, dict]:
        request = provider_pb2.CreateRequest(
            urn=urn(token), type=token, properties=encode(inputs), preview=preview
        )
        answer = self.provider.Create(request, self.context)
        return answer.id, decode(answer.properties)

    def make(self, token: str, news: dict) -> tuple[dict, str, dict]:
        """Check and create; the inputs, the id and the state."""
        inputs, failures = self.check(token, news)
        assert failures == {}
        return inputs, *self.create(token, inputs)

    def diff(self, token: str, state: dict, olds: dict, news: dict, ignored: tuple[str, ...] = ()) -> Any:
        request = provider_pb2.DiffRequest(
            urn=urn(token),
            type=token,
            olds=encode(state),
            old_inputs=encode(olds),
            news=encode(news),
            ignoreChanges=ignored,
        )
        return self.provider.Diff(request, self.context)

    def read(
        self, token: str, identity: str, inputs: dict | None = None, state: dict | None = None
    ) -> tuple[str, dict, dict]:
        request = provider_pb2.ReadRequest(
            urn=urn(token),
            type=token,
            id=identity,
            inputs=encode(inputs or {}),
            properties=encode(state or {}),
        )
        answer = self.provider.Read(request, self.context)
        return answer.id, decode(answer.properties), decode(answer.inputs)

    def update(self, token: str, identity: str, state: dict, news: dict, preview: bool = False) -> dict:
        request = provider_pb2.UpdateRequest(
            urn=urn(token), type=token, id=identity, olds=encode(state), news=encode(news), preview=preview
        )
        return decode(self.provider.Update(request, self.context).properties)

    def delete(self, token: str, identity: str, state: dict) -> None:
        request = provider_pb2.DeleteRequest(
            urn=urn(token), type=token, id=identity, properties=encode(state)
        )
        self.provider.Delete(request, self.context)


def urn(token: str, name: str = "thing") -> str:
    return f"urn:pulumi:dev::headroom::{token}::{name}"


def manifest(api_version: str, kind: str, name: str, namespace: str = "", **parts: Any) -> dict[str, Any]:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **parts}


def place(api_version: str, kind: str, name: str, namespace: str = "") -> Place:
    return Place(load_kinds()[api_version, kind], namespace, name)


def kubeconfig(server: str = "https://kubernetes.example", **user: Any) -> str:
    """A kubeconfig of one cluster, as text."""
    return json.dumps(
        {
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "one", "user": "me"}}],
            "clusters": [{"name": "one", "cluster": {"server": server}}],
            "users": [{"name": "me", "user": user}],
        }
    )


@pytest.fixture(autouse=True)
def _quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KUBECONFIG_VARIABLE, raising=False)
    monkeypatch.setenv(RETRY_SCALE_VARIABLE, "0.0001")


@pytest.fixture
def cloud(tmp_path: Path) -> Path:
    """Where the imitated cloud's file would be; it is not there."""
    return tmp_path / "cloud.sqlite"


@pytest.fixture
def store(cloud: Path) -> Iterator[Store]:
    store = Store(cloud.with_name(FILE))
    yield store
    store.close()


@pytest.fixture
def cluster(store: Store) -> RecordedCluster:
    """A cluster with all published kinds and without Kueue."""
    return RecordedCluster(store, Identity("here", ALL_ORIGINS))


@pytest.fixture
def engine(store: Store, cloud: Path) -> Engine:
    engine = Engine(KubernetesProvider(store, cloud, "4.34.2"))
    engine.configure(clusterIdentifier="here")
    return engine


@pytest.fixture
def kueue(store: Store) -> RecordedRelease:
    """The release that makes the clusters called `here` serve Kueue's kinds."""
    status = {"chart": "kueue", "revision": 1}
    release = RecordedRelease(
        "here", "kueue-system", "kueue", {"inputs": {"chart": "kueue"}, "status": status}
    )
    store.put_release(release)
    return release
