"""The provider as a process that an engine starts."""

import os
import subprocess
import sys
import time
from pathlib import Path

ENGINE = """
import subprocess, sys, time
plugin = subprocess.Popen([sys.executable, "-m", "sandbox.kubernetes"], stdout=subprocess.PIPE, text=True)
print(plugin.pid, plugin.stdout.readline().strip(), flush=True)
time.sleep(600)
"""
BOUND_SECONDS = 20


def test_it_ends_with_the_engine_that_started_it_even_if_that_was_killed(tmp_path: Path, root: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ENGINE],
        cwd=root,
        env=os.environ | {"HEADROOM_CLOUD": str(tmp_path / "cloud.sqlite")},
        stdout=subprocess.PIPE,
        text=True,
    ) as engine:
        assert engine.stdout is not None
        plugin, port = engine.stdout.readline().split()
        assert int(port) > 0
        engine.kill()
    process = Path("/proc") / plugin
    end = time.monotonic() + BOUND_SECONDS
    while process.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not process.exists()
