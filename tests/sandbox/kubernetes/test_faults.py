"""Faults of the imitated cloud strike calls to its clusters, in the words of an API server."""

import subprocess
import sys
from pathlib import Path

import pytest

from infra.retries import find_lateness
from sandbox.google.faults import KINDS
from sandbox.google.store import Fault
from sandbox.google.store import Store as CloudStore
from sandbox.kubernetes import faults
from sandbox.kubernetes.listing import list_objects
from tests.sandbox.kubernetes.conftest import NAMESPACE, CallAbortedError, Engine, manifest

TEAM = manifest("v1", "Namespace", "team")


def inject(cloud: Path, kind: str, operation: str = "*", token: str = "*") -> None:
    store = CloudStore(cloud)
    with store.transaction():
        store.add_fault(Fault(0, kind, operation, token, 1, 0, 1))
    store.close()


@pytest.mark.parametrize(
    ("kind", "message", "is_late"),
    [
        ("429", "the server has received too many requests", True),
        ("503", "the server is currently unable to handle the request", True),
        ("timeout", "the server was unable to return a response in the time allotted", False),
    ],
)
def test_a_refusal_strikes_before_the_effect_and_once(
    engine: Engine, cloud: Path, kind: str, message: str, is_late: bool
) -> None:
    inject(cloud, kind, "create", NAMESPACE)

    with pytest.raises(CallAbortedError, match=message) as refused:
        engine.create(NAMESPACE, TEAM)
    assert bool(find_lateness([str(refused.value)])) == is_late
    assert list_objects(cloud) == []
    engine.create(NAMESPACE, TEAM)


@pytest.mark.parametrize("kind", ["lost-answer", "timeout-after"])
def test_a_lost_or_late_answer_leaves_its_effect_behind(engine: Engine, cloud: Path, kind: str) -> None:
    inject(cloud, kind)

    with pytest.raises(CallAbortedError, match=r"connection lost|time allotted") as lost:
        engine.create(NAMESPACE, TEAM)
    assert find_lateness([str(lost.value)]) is None
    with pytest.raises(CallAbortedError, match="already exists"):
        engine.create(NAMESPACE, TEAM)


def test_what_follows_an_effect_waits_for_a_call_that_is_not_refused(engine: Engine, cloud: Path) -> None:
    engine.create(NAMESPACE, TEAM)
    inject(cloud, "lost-answer")

    with pytest.raises(CallAbortedError, match="already exists"):
        engine.create(NAMESPACE, TEAM)
    with pytest.raises(CallAbortedError, match="connection lost"):
        engine.create(NAMESPACE, manifest("v1", "Namespace", "others"))


def test_what_is_only_tried_does_not_go_wrong_and_other_types_neither(engine: Engine, cloud: Path) -> None:
    inject(cloud, "503", "create", NAMESPACE)

    engine.create(NAMESPACE, TEAM, preview=True)
    quota = manifest("v1", "ResourceQuota", "q", "default", spec={"hard": {"cpu": "4"}})
    engine.create("kubernetes:core/v1:ResourceQuota", quota)
    with pytest.raises(CallAbortedError, match="currently unable"):
        engine.create(NAMESPACE, TEAM)


@pytest.mark.parametrize("operation", ["read", "update", "delete"])
def test_every_operation_can_be_struck(engine: Engine, cloud: Path, operation: str) -> None:
    inputs, identity, state = engine.make(NAMESPACE, TEAM)
    inject(cloud, "503", operation)
    calls = {
        "read": lambda: engine.read(NAMESPACE, identity, inputs, state),
        "update": lambda: engine.update(NAMESPACE, identity, state, inputs),
        "delete": lambda: engine.delete(NAMESPACE, identity, state),
    }

    with pytest.raises(CallAbortedError, match="currently unable"):
        calls[operation]()
    calls[operation]()


@pytest.mark.parametrize(("kind", "is_effective"), [("crash", False), ("crash-after", True)])
def test_a_crash_ends_the_process_before_or_after_the_effect(
    tmp_path: Path, kind: str, is_effective: bool
) -> None:
    inject(tmp_path / "cloud.sqlite", kind)
    program = (
        "import sys; from pathlib import Path; from sandbox.kubernetes.faults import Faults\n"
        "with Faults(Path(sys.argv[1])).around('create', 'a:b:C'):\n    print('done', flush=True)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "cloud.sqlite")],
        timeout=60,
        check=False,
        capture_output=True,
    )

    assert run.returncode == -9
    assert run.stdout == (b"done\n" if is_effective else b"")


def test_every_kind_of_fault_has_an_effect(
    engine: Engine, cloud: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash() -> None:
        raise SystemError

    monkeypatch.setattr(faults.faults, "crash", crash)
    for number, kind in enumerate(KINDS):
        inject(cloud, kind)
        with pytest.raises((CallAbortedError, SystemError)):
            engine.create(NAMESPACE, manifest("v1", "Namespace", f"team-{number}"))
