"""The store remembers, across threads and processes, all or nothing."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.google.store import LIVE, SOFT_DELETED, Store, WorldObject


def thing(identity: str, status: str = LIVE, sequence: int = 1) -> WorldObject:
    return WorldObject(
        "gcp:pubsub/topic:Topic", identity, "acme-dev", status, sequence, 1.0, 1.0, {"name": identity}
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "deep" / "cloud.sqlite")


def test_another_store_on_the_same_file_finds_what_was_put(store: Store, tmp_path: Path) -> None:
    store.put(thing("a"))

    found = Store(tmp_path / "deep" / "cloud.sqlite").find("gcp:pubsub/topic:Topic", "a")
    assert found is not None
    assert found.properties == {"name": "a"}


def test_what_was_removed_is_not_found(store: Store) -> None:
    store.put(thing("a"))
    store.remove("gcp:pubsub/topic:Topic", "a")

    assert store.find("gcp:pubsub/topic:Topic", "a") is None


def test_objects_come_in_the_order_of_creation_and_by_status(store: Store) -> None:
    for identity, status, sequence in (("b", LIVE, 2), ("a", LIVE, 3), ("c", SOFT_DELETED, 1)):
        store.put(thing(identity, status, sequence))

    assert [item.id for item in store.objects()] == ["c", "b", "a"]
    assert [item.id for item in store.objects(status=LIVE)] == ["b", "a"]
    assert store.objects("gcp:pubsub/subscription:Subscription") == []


def test_an_error_inside_a_transaction_undoes_all_of_it(store: Store) -> None:
    def fail_half_way() -> None:
        with store.transaction():
            store.put(thing("a"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()

    assert store.objects() == []


def test_threads_get_different_numbers(store: Store) -> None:
    def draw(_: int) -> int:
        try:
            with store.transaction():
                return store.next_number("objects")
        finally:
            store.close()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(draw, range(200))) == list(range(1, 201))


def test_processes_share_one_file(store: Store, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from sandbox.google.store import Store\n"
        "store = Store(Path(sys.argv[1]))\n"
        "for _ in range(100):\n"
        "    with store.transaction(): store.next_number('objects')\n"
    )
    path = str(tmp_path / "deep" / "cloud.sqlite")
    processes = [subprocess.Popen([sys.executable, "-c", program, path]) for _ in range(2)]
    assert [process.wait(60) for process in processes] == [0, 0]

    assert store.next_number("objects") == 201


def test_a_lookup_stays_quick_among_thousands(store: Store) -> None:
    with store.transaction():
        for number in range(5000):
            store.put(thing(f"t{number}", sequence=number))
    started = time.perf_counter()
    for number in range(0, 5000, 10):
        assert store.find("gcp:pubsub/topic:Topic", f"t{number}")

    assert time.perf_counter() - started < 1
