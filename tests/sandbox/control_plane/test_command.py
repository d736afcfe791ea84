import os
import signal

import pytest

from sandbox.control_plane import __main__ as command
from sandbox.engine.errors import SandboxError


class FakePlane:
    """Stands in for a control plane that takes no time to start."""

    kubeconfig = "/somewhere/admin.kubeconfig"
    folder = "/somewhere"
    ended = False
    values = None

    def __init__(self, values, progress):
        FakePlane.values, FakePlane.ended = values, False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        FakePlane.ended = True


@pytest.fixture(autouse=True)
def _fake(monkeypatch):
    previous = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(command, "ControlPlane", FakePlane)
    yield
    signal.signal(signal.SIGTERM, previous)


def test_it_runs_until_it_is_interrupted_and_then_ends_in_order(monkeypatch, capsys):
    monkeypatch.setattr(command.signal, "pause", lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert command.main([]) == 0
    assert FakePlane.ended
    assert "managerConfig" in FakePlane.values
    assert capsys.readouterr().out == "export KUBECONFIG=/somewhere/admin.kubeconfig\n"


def test_interrupt_while_it_starts_ends_it(monkeypatch):
    monkeypatch.setattr(FakePlane, "__enter__", lambda _: os.kill(os.getpid(), signal.SIGTERM))
    assert command.main(["--without-kueue"]) == 130
    assert FakePlane.values is None


def test_server_that_does_not_start_is_one_message(monkeypatch, capsys):
    def refuse(_):
        raise SandboxError("etcd ended before it was ready")

    monkeypatch.setattr(FakePlane, "__enter__", refuse)
    assert command.main([]) == 2
    assert capsys.readouterr().err == "error: etcd ended before it was ready\n"
