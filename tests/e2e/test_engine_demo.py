"""`headroom demo` as a person runs it."""

import hashlib
import subprocess
import sys
from pathlib import Path

from sandbox.engine.workspace import SOURCE_ROOT

HEADROOM = Path(sys.executable).with_name("headroom")


def digest_project() -> dict[str, str]:
    files = [path for path in SOURCE_ROOT.iterdir() if path.is_file()]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_demo_does_what_it_says_and_leaves_the_project_as_it_was(tmp_path, monkeypatch):
    """Proves Q1 end to end: from a stack file to pools and back, with a diff of an edit on the way."""
    monkeypatch.setenv("HEADROOM_SANDBOX", str(tmp_path / "mine"))
    before = digest_project()
    done = subprocess.run([HEADROOM, "demo"], cwd=SOURCE_ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("as claimed") == 5
    assert "totalMaxNodeCount: 12 => 16" in done.stdout
    page = Path(done.stdout.rpartition("as a page for a browser:\n")[2].splitlines()[0].strip())
    assert "<h1>Audit of dev</h1>" in page.read_text()
    assert "warning what was deployed is not what the stack file says: node-pools cpu-" in done.stdout
    left = done.stdout.partition("Left in the cloud")[2]
    assert "keyRings/" in left
    assert "nodePools/" not in left
    assert digest_project() == before
    assert not (tmp_path / "mine").exists()
