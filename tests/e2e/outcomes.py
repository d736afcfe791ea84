"""Where an `up` ends: the picture of its state, and what the world holds then."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.google.apis.admin import enable_apis, make_bucket
from sandbox.google.store import LIVE, Store
from sandbox.google.world import World
from sandbox.kubernetes.listing import list_objects
from sandbox.provider.wire import SECRET_SIGNATURE, SIGNATURE
from tests.e2e.conftest import EngineSandbox

ONE_OF_EACH = Path(__file__).parent / "stacks" / "one-of-each.yaml"

CLUSTER = "gcp:container/cluster:Cluster"
NUMBERED = (
    "gcp:monitoring/alertPolicy:AlertPolicy",
    "gcp:monitoring/dashboard:Dashboard",
    "gcp:monitoring/notificationChannel:NotificationChannel",
)
"""Types that Google gives an id itself, so that a second try makes a double, which works beside the first."""

GENERATED = ("gcp:kms/keyRing:KeyRing", "gcp:kms/cryptoKey:CryptoKey")
"""Types whose names are generated, so that a second try makes another of them."""


@dataclass(frozen=True)
class Outcome:
    """The state's picture, the world's holdings, and the types of what was made."""

    picture: dict[str, Any]
    holdings: list[tuple[str, str]]
    types: tuple[str, ...]


def open_world(platform: EngineSandbox) -> World:
    """The imitated cloud of a sandbox, which need not have been used before."""
    platform.sandbox.prepare(platform.cli, ["stack", "ls"])
    return World(platform.sandbox.cloud)


def use_one_of_each(platform: EngineSandbox) -> None:
    """Give the stack `dev` one of nearly everything, and the world what it takes to be there."""
    (platform.project / "Pulumi.dev.yaml").write_text(ONE_OF_EACH.read_text())
    platform.sandbox.prepare(platform.cli, ["stack", "ls"])
    store = Store(platform.sandbox.cloud)
    enable_apis(store, "acme-ml-dev", ["storage.googleapis.com"])
    make_bucket(store, "acme-ml-dev", "acme-log-archive")
    store.close()


def observe(platform: EngineSandbox, stack: str) -> Outcome:
    """Where a stack is now."""
    resources = platform.export(stack)
    types = {each["type"] for each in resources if each["type"].startswith(("gcp:", "kubernetes:"))}
    return Outcome(picture(resources), holdings(platform, stack), tuple(sorted(types)))


def require_outcome(
    platform: EngineSandbox, stack: str, outcome: Outcome, left: Sequence[tuple[str, str]] = ()
) -> None:
    """The state and the world are those of an undisturbed `up`, and a refresh finds no difference.

    `left` is what a destroy before it left behind, and may still be there.
    """
    seen = observe(platform, stack)
    keys = seen.picture.keys() | outcome.picture.keys()
    others = {key: (seen.picture.get(key), outcome.picture.get(key)) for key in keys}
    assert {key: each for key, each in others.items() if each[0] != each[1]} == {}
    held, expected = Counter(seen.holdings), Counter(outcome.holdings)
    assert held - expected <= Counter(left), f"too many: {held - expected}"
    assert expected <= held, f"missing: {expected - held}"
    platform.refresh(stack, "--expect-no-changes").require_success()


def picture(resources: list[dict[str, Any]]) -> dict[str, Any]:
    """Type, name and inputs of every resource of a state; generated names are those of the program.

    Inputs whose changes the program ignores are left out: an imported resource keeps what the cloud had.
    """
    names = _generated_names(resources)
    content = {
        each["urn"]: {key: each.get(key) for key in ("type", "protect", "parent")} | {"inputs": _inputs(each)}
        for each in resources
        if not each["type"].startswith("pulumi:providers:")
    }
    return json.loads(_replace_names(json.dumps(content), names))


def _inputs(resource: dict[str, Any]) -> dict[str, Any]:
    ignored = {"__defaults", *resource.get("ignoreChanges", [])}
    return {
        key: _comparable(value) for key, value in resource.get("inputs", {}).items() if key not in ignored
    }


def _comparable(value: Any) -> Any:
    """The value with the same word for every secret, since no two encryptions of one are alike, and without
    nulls: what the program leaves open is null until a refresh, and then is not there."""
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET_SIGNATURE:
            return "(secret)"
        return {key: _comparable(item) for key, item in value.items() if item is not None}
    return [_comparable(item) for item in value] if isinstance(value, list) else value


def holdings(platform: EngineSandbox, stack: str) -> list[tuple[str, str]]:
    """Type and id of all that is live in the world and its clusters.

    But for keys and rings, of which a try may leave some.
    """
    names = _generated_names(platform.export(stack))
    live = open_world(platform).objects(status=LIVE)
    found = [(item.type, _replace_names(item.id, names)) for item in live if item.type not in GENERATED]
    clusters = [f"{item.id}#{item.sequence}" for item in live if item.type == CLUSTER]
    listed = [item for cluster in clusters for item in list_objects(platform.sandbox.cloud, cluster)]
    return sorted(found + [(item.type, item.id) for item in listed])


def _generated_names(resources: list[dict[str, Any]]) -> dict[str, str]:
    """What the program calls each generated name, the random end of it (others carry it), and each number."""
    names = {
        each["outputs"]["name"]: each["urn"].rpartition("::")[2]
        for each in resources
        if each["type"] in GENERATED
    }
    ends = {name.rpartition("-")[2]: f"({thing})" for name, thing in names.items()}
    numbered = {each["id"]: each["urn"].rpartition("::")[2] for each in resources if each["type"] in NUMBERED}
    return names | ends | numbered


def _replace_names(text: str, names: Mapping[str, str]) -> str:
    for generated, name in names.items():
        text = text.replace(generated, name)
    return text
