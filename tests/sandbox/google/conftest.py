"""A world in a temporary file, and a provider that serves it by direct calls."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from sandbox.google.check import check_inputs, fill_inputs
from sandbox.google.cloud import Cloud
from sandbox.google.delays import SCALE
from sandbox.google.facts import load_facts, load_table
from sandbox.google.outputs import Settings
from sandbox.google.provider import GoogleCloudProvider
from sandbox.google.schema import load_resource_type
from sandbox.google.store import Store, WorldObject
from sandbox.provider.wire import decode, encode

ENVIRONMENT = ("HEADROOM_CLOUD_SEED", "HEADROOM_CLOUD_SCALE")
SETTINGS = Settings("acme-dev", "us-central1", "us-central1-a", {"environment": "dev"})


class CallAbortedError(Exception):
    """What gRPC raises in a servicer that answers with an error."""


class Context:
    """The part of a gRPC context that the provider uses."""

    trailing_metadata: tuple[tuple[str, bytes], ...] = ()

    def set_trailing_metadata(self, metadata: tuple[tuple[str, bytes], ...]) -> None:
        self.trailing_metadata = metadata

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        raise CallAbortedError(f"{code.name}: {details}")


class Engine:
    """Speaks to a provider as the engine does, with plain dictionaries."""

    def __init__(self, provider: GoogleCloudProvider) -> None:
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

    def diff(self, token: str, state: dict, olds: dict, news: dict) -> Any:
        request = provider_pb2.DiffRequest(
            urn=urn(token), type=token, olds=encode(state), old_inputs=encode(olds), news=encode(news)
        )
        return self.provider.Diff(request, self.context)

    def read(self, token: str, identity: str, inputs: dict | None = None) -> tuple[str, dict, dict]:
        request = provider_pb2.ReadRequest(
            urn=urn(token), type=token, id=identity, inputs=encode(inputs or {}), properties=encode({})
        )
        answer = self.provider.Read(request, self.context)
        return answer.id, decode(answer.properties), decode(answer.inputs)

    def update(
        self, token: str, identity: str, state: dict, olds: dict, news: dict, preview: bool = False
    ) -> dict:
        request = provider_pb2.UpdateRequest(
            urn=urn(token),
            type=token,
            id=identity,
            olds=encode(state),
            old_inputs=encode(olds),
            news=encode(news),
            preview=preview,
        )
        return decode(self.provider.Update(request, self.context).properties)

    def delete(self, token: str, identity: str) -> None:
        request = provider_pb2.DeleteRequest(urn=urn(token), type=token, id=identity)
        self.provider.Delete(request, self.context)


class World:
    """Creates resources as a program would: names and defaults filled in, checked, then created."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def make(self, token: str, settings: Settings = SETTINGS, **inputs: Any) -> WorldObject:
        resource, facts = load_resource_type(token), load_facts(token)
        filled = fill_inputs(resource, facts, {}, inputs, "thing", b"seed")
        assert check_inputs(resource, facts, filled) == []
        return self.cloud.create(token, filled, settings)


def urn(token: str, name: str = "thing") -> str:
    return f"urn:pulumi:dev::headroom::{token}::{name}"


@pytest.fixture(autouse=True)
def _quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)


def begin_world(path: Path) -> Cloud:
    cloud = Cloud(Store(path))
    with cloud.store.transaction():
        cloud.store.turn(SCALE, "0")
    return cloud


@pytest.fixture
def empty_cloud(tmp_path: Path) -> Cloud:
    """A world in which nothing was ever done, and nothing is late."""
    return begin_world(tmp_path / "cloud.sqlite")


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a world in which all APIs are enabled and there is a cluster `dev`; tests get copies."""
    path = tmp_path_factory.mktemp("furnished") / "cloud.sqlite"
    with pytest.MonkeyPatch.context() as patch:
        for name in ENVIRONMENT:
            patch.delenv(name, raising=False)
        cloud = begin_world(path)
        for project in ("acme-dev", "acme-prod"):
            settings = replace(SETTINGS, project=project)
            for api in {*load_table("services")["modules"].values()}:
                cloud.create("gcp:projects/service:Service", {"service": api}, settings)
        dev = {"name": "dev", "location": "us-central1", "deletionProtection": False}
        cloud.create("gcp:container/cluster:Cluster", dev, SETTINGS)
        cloud.store.close()
    return path


@pytest.fixture
def cloud(furnished: Path, tmp_path: Path) -> Cloud:
    """A world in which all APIs are enabled and there is a cluster `dev`."""
    shutil.copy(furnished, tmp_path / "cloud.sqlite")
    return Cloud(Store(tmp_path / "cloud.sqlite"))


@pytest.fixture
def world(cloud: Cloud) -> World:
    return World(cloud)


@pytest.fixture
def engine(cloud: Cloud) -> Engine:
    engine = Engine(GoogleCloudProvider(cloud, "10.2.0"))
    engine.configure(project="acme-dev", region="us-central1", defaultLabels='{"environment": "dev"}')
    return engine
