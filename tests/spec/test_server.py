"""The files of `releases/`: what is taken, and what is refused with its key."""

from pathlib import Path

import pytest

from headroom.spec.errors import StackFileError
from headroom.spec.server import load_server


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "releases").mkdir()
    return tmp_path / "releases" / "feed-serving.yaml"


def test_an_image_is_enough(path: Path) -> None:
    path.write_text("image: feed\n")
    server = load_server(path)
    assert (server.image, server.port, server.metrics_port) == ("feed", 8080, 8000)
    assert server.requests.count >= 100


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("{}", "image: is required"),
        ("image: feed\nprot: 80", "prot: is no"),
        ("image: feed:7", "image: "),
        ("image: feed@sha256:00", "image: "),
        ("image: feed\nport: 80", "port: "),
        ("image: feed\nport: 9000\nmetrics_port: 9000", "port and metrics_port are the same"),
        ("image: feed\nenv: {HEADROOM_TRACK: stable}", "env sets a variable that begins with HEADROOM_"),
        ("image: feed\nrequests: {count: 99}", "requests.count: "),
        ("image: feed\nready: healthz", "ready: "),
        ("[]", "has no keys such as image"),
        ("image: [", "releases/feed-serving.yaml: "),
    ],
)
def test_what_is_wrong_is_named_with_file_and_key(path: Path, text: str, phrase: str) -> None:
    path.write_text(text)
    with pytest.raises(StackFileError) as refusal:
        load_server(path)
    assert str(refusal.value).startswith("releases/feed-serving.yaml: ")
    assert phrase in str(refusal.value)


def test_a_file_that_is_not_there_is_named_with_the_command_that_writes_it(path: Path) -> None:
    with pytest.raises(
        StackFileError, match="there is none; headroom release init -p feed-serving writes one"
    ):
        load_server(path)
