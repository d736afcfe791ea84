"""Serve the imitation: `python -m sandbox.google`, as the engine starts a provider plugin."""

import gc
from importlib.metadata import version
from pathlib import Path
from typing import Final

from sandbox.google.cloud import Cloud
from sandbox.google.delays import read_pace
from sandbox.google.provider import GoogleCloudProvider
from sandbox.google.store import Store
from sandbox.provider.serving import serve

# What is loaded stays: looking for garbage in it takes a fifth of the time.
_COLLECT_AFTER: Final = 200_000


def _make(cloud: Path) -> GoogleCloudProvider:
    store = Store(cloud)
    try:
        read_pace(store)
    except ValueError as error:
        raise ValueError(f"HEADROOM_CLOUD_SCALE: {error}") from None
    return GoogleCloudProvider(Cloud(store), version("pulumi_gcp"))


if __name__ == "__main__":
    gc.set_threshold(_COLLECT_AFTER)
    raise SystemExit(serve(_make))
