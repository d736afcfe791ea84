"""A world in a temporary file, its APIs on this machine, and a project that an admin has made ready."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from headroom.catalog.facts import load_facts
from headroom.live.connection import ENDPOINT_VARIABLE, Connection, connect
from headroom.planning.plan import plan_config
from headroom.planning.preflight import Needs, derive_needs
from sandbox.google.apis import admin
from sandbox.google.apis.server import serve
from sandbox.google.store import Store

PROJECT = "acme-ml-test"
BUCKET = "acme-ml-test-state"


@dataclass(frozen=True)
class Google:
    """The imitation: its base URL and the store of its world."""

    url: str
    store: Store

    def change(self, **changes: Any) -> None:
        """Change the settings of the project."""
        admin.change_settings(self.store, PROJECT, **changes)


@pytest.fixture
def google(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Google]:
    """A project with all APIs enabled and a bucket for the state."""
    path = tmp_path / "cloud.sqlite"
    with serve(path) as url:
        store = Store(path)
        apis = [row["api"] for group in load_facts("apis") for row in group["apis"]]
        admin.enable_apis(store, PROJECT, apis)
        admin.make_bucket(store, PROJECT, BUCKET)
        monkeypatch.setenv(ENDPOINT_VARIABLE, url)
        yield Google(url, store)
        store.close()


@pytest.fixture
def connection(google: Google) -> Connection:
    return connect(PROJECT)


@pytest.fixture
def needs_of(config: dict[str, Any]) -> Callable[..., Needs]:
    """The needs of the smallest platform, changed by what is given for its sections."""

    def needs(**sections: Any) -> Needs:
        for name, value in sections.items():
            config[f"headroom:{name}"] |= value
        return derive_needs(plan_config(config, "test", "f"))

    return needs


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that nobody vouches for, and its key."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1)
    )
    folder = tmp_path_factory.mktemp("certificate")
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return paths
