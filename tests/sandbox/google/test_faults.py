"""Faults strike the calls they were meant for, before or after the effect."""

import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import pytest

from headroom.cli.world import fault
from sandbox.google import faults
from sandbox.google.cloud import Cloud
from sandbox.google.errors import AnswerLostError, ApiError, RefusedError
from sandbox.google.faults import choose_fault
from sandbox.google.store import Fault
from tests.sandbox.google.conftest import SETTINGS, CallAbortedError, Engine

TOPIC = "gcp:pubsub/topic:Topic"
NETWORK = "gcp:compute/network:Network"
TOPIC_ID = "projects/acme-dev/topics/events"


def inject(
    cloud: Cloud,
    kind: str,
    operation: str = "*",
    token: str = "*",
    rate: float = 1,
    at: int = 0,
    times: int = 1,
) -> None:
    with cloud.store.transaction():
        cloud.store.add_fault(Fault(0, kind, operation, token, rate, at, times))


def create(cloud: Cloud, name: str = "events") -> None:
    cloud.create(TOPIC, {"name": name}, SETTINGS)


def test_nothing_goes_wrong_unless_it_was_injected(cloud: Cloud) -> None:
    create(cloud)

    assert cloud.store.faults() == []


@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        ("429", ApiError, "Error 429: Quota exceeded for quota metric .*, rateLimitExceeded"),
        ("503", ApiError, "Error 503: The service is currently unavailable., backendError"),
        ("timeout", RefusedError, "timeout while waiting for state to become 'DONE'"),
    ],
)
def test_a_refusal_strikes_before_the_effect_and_once(
    cloud: Cloud, kind: str, error: type[Exception], message: str
) -> None:
    inject(cloud, kind)

    with pytest.raises(error, match=message):
        create(cloud)
    assert cloud.store.objects(TOPIC) == []
    create(cloud)
    assert len(cloud.store.objects(TOPIC)) == 1


def test_a_lost_answer_has_its_effect_and_the_next_try_finds_the_name_taken(cloud: Cloud) -> None:
    inject(cloud, "lost-answer")

    with pytest.raises(AnswerLostError, match="client connection lost"):
        create(cloud)
    with pytest.raises(ApiError, match="409"):
        create(cloud)


@pytest.mark.parametrize("kind", ["lost-answer", "timeout-after"])
def test_what_follows_an_effect_waits_for_a_call_that_is_not_refused(cloud: Cloud, kind: str) -> None:
    create(cloud)
    inject(cloud, kind)

    with pytest.raises(ApiError, match="409"):
        create(cloud)
    with pytest.raises((AnswerLostError, RefusedError), match=r"connection lost|timeout while waiting"):
        create(cloud, "others")
    create(cloud, "more")


def test_a_fault_strikes_only_its_operation_and_type(cloud: Cloud) -> None:
    inject(cloud, "503", operation="delete", token=TOPIC)

    create(cloud)
    network = cloud.create(NETWORK, {"name": "vpc"}, SETTINGS)
    cloud.delete(NETWORK, network.id)
    with pytest.raises(ApiError, match="503"):
        cloud.delete(TOPIC, TOPIC_ID)


def test_a_fault_can_wait_for_a_chosen_call(cloud: Cloud) -> None:
    inject(cloud, "503", operation="create", at=3)

    create(cloud, "first")
    create(cloud, "second")
    with pytest.raises(ApiError, match="503"):
        create(cloud, "third")
    create(cloud, "third")


def test_a_rate_strikes_about_that_share_of_calls_and_the_same_ones_for_a_seed(cloud: Cloud) -> None:
    inject(cloud, "503", rate=0.2, times=-1)

    struck = [choose_fault(cloud.store, "1", "create", TOPIC) for _ in range(500)]
    assert 60 < sum(kind is not None for kind in struck) < 140


def test_a_fault_without_end_strikes_until_it_is_cleared(cloud: Cloud) -> None:
    inject(cloud, "429", times=-1)
    for _ in range(3):
        with pytest.raises(ApiError, match="429"):
            create(cloud)
    with cloud.store.transaction():
        cloud.store.clear_faults()

    create(cloud)


@pytest.mark.parametrize(("kind", "held"), [("crash", 0), ("crash-after", 1)])
def test_a_crash_ends_the_process_before_or_after_the_effect(
    cloud: Cloud, tmp_path: Path, kind: str, held: int
) -> None:
    inject(cloud, kind)
    program = (
        "import sys; from pathlib import Path\n"
        "from sandbox.google.cloud import Cloud; from sandbox.google.store import Store\n"
        "from sandbox.google.outputs import Settings\n"
        f"Cloud(Store(Path(sys.argv[1]))).create({TOPIC!r}, {{'name': 'events'}}, Settings('acme-dev'))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "cloud.sqlite")], timeout=60, check=False
    )

    assert run.returncode == -9
    assert len(cloud.store.objects(TOPIC)) == held


def test_the_engine_is_told_of_a_fault_as_of_any_error(engine: Engine, cloud: Cloud) -> None:
    inject(cloud, "lost-answer", operation="create")

    with pytest.raises(CallAbortedError, match="client connection lost"):
        engine.create(TOPIC, {"name": "events"})


def test_every_kind_of_fault_has_an_effect(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash() -> None:
        raise SystemError

    monkeypatch.setattr(faults, "crash", crash)
    for number, kind in enumerate(faults.KINDS):
        inject(cloud, kind)
        with pytest.raises((ApiError, RefusedError, AnswerLostError, SystemError)):
            create(cloud, f"topic-{number}")


def test_the_command_names_every_kind_of_fault() -> None:
    kind = get_type_hints(fault, include_extras=True)["kind"].__metadata__[0]

    assert [each for each in faults.KINDS if each not in kind.help] == []
