import re
import threading
from pathlib import Path

import pytest

from sandbox.engine import build
from sandbox.engine.build import build_cli, describe_cli, find_built_cli, linker_flags, load_requirement
from sandbox.engine.errors import SandboxError
from sandbox.tools.go_build import require_go

# A `go` that answers as the real one does, and takes a moment to build.
FAKE_GO = r"""#!/bin/sh
case "$1" in
env) printf 'go1.99.0\nlinux\namd64\n' ;;
list) if [ "$2" = -m ]; then echo "{sdk}"; else echo one; echo two; fi ;;
build)
  echo built >> "{log}"
  echo some/package >&2
  sleep 0.3
  for last; do [ "$before" = -o ] && target="$last"; before="$last"; done
  mkdir -p "$(dirname "$target")"; echo cli > "$target" ;;
esac
exit {code}
"""


@pytest.fixture
def fake_go(tmp_path, clean_path):
    def install(code: int = 0) -> Path:
        sdk = tmp_path / "with space" / "sdk"
        (sdk / "python" / "cmd").mkdir(parents=True, exist_ok=True)
        (sdk / "python" / "cmd" / build.EXEC_SCRIPT).write_text("script")
        log = tmp_path / "builds"
        text = FAKE_GO.replace("{sdk}", str(sdk)).replace("{log}", str(log)).replace("{code}", str(code))
        (clean_path / "go").write_text(text)
        (clean_path / "go").chmod(0o755)
        return log

    return install


def test_versions_come_from_go_mod():
    assert re.fullmatch(r"v3\.\d+\.\d+", load_requirement(build.SDK_MODULE))
    assert re.fullmatch(r"1\.\d+", load_requirement("go"))
    assert load_requirement(build.SDK_MODULE) in linker_flags()
    with pytest.raises(SandboxError, match="does not name"):
        load_requirement("example.com/absent")


def test_tool_line_and_sums_cover_what_is_built():
    folder = build.MODULE_FOLDER
    assert f"tool {build.PACKAGE}" in (folder / "go.mod").read_text()
    sums = (folder / "go.sum").read_text()
    for module in ("github.com/pulumi/pulumi/pkg/v3", build.SDK_MODULE):
        assert f"{module} {load_requirement(module)} h1:" in sums


def test_first_build_is_kept_with_the_executor_beside_it_and_later_found(fake_go):
    log = fake_go()
    lines: list[str] = []
    path = build_cli(lines.append)
    assert lines[0].startswith("building the Pulumi CLI")
    assert path.read_text() == "cli\n"
    assert path.with_name(build.EXEC_SCRIPT).read_text() == "script"
    assert build_cli(lines.append) == path == find_built_cli("go1.99.0-linux-amd64")
    assert log.read_text().count("built") == 1
    assert [each.name for each in path.parent.parent.iterdir() if each.name.startswith(".")] == []


def test_build_of_another_go_is_not_taken_but_any_serves_without_go(fake_go):
    fake_go()
    path = build_cli(lambda _: None)
    assert find_built_cli("go1.98.0-linux-amd64") is None
    assert find_built_cli(None) == path


def test_two_processes_that_build_at_once_build_once(fake_go):
    log = fake_go()
    paths: list[Path] = []
    threads = [threading.Thread(target=lambda: paths.append(build_cli(lambda _: None))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(paths) == 2
    assert paths[0] == paths[1]
    assert log.read_text().count("built") == 1


def test_failed_build_leaves_nothing_and_says_what_go_said(fake_go, clean_path):
    fake_go()
    script = (
        (clean_path / "go")
        .read_text()
        .replace("build)", "build) echo no route to host >&2; exit 1;;\nother)")
    )
    (clean_path / "go").write_text(script)
    with pytest.raises(SandboxError, match="no route to host") as caught:
        build_cli(lambda _: None)
    assert "GOPROXY" in str(caught.value)
    assert find_built_cli(None) is None


def test_absent_go_is_one_message_with_the_remedies(clean_path, monkeypatch):
    monkeypatch.setenv("PATH", str(clean_path))
    with pytest.raises(SandboxError, match="not there") as caught:
        require_go(describe_cli())
    assert "Install Pulumi" in str(caught.value)
    assert "go.dev/dl" in str(caught.value)


def test_go_that_refuses_the_module_file_counts_as_too_old(fake_go):
    fake_go(code=1)
    with pytest.raises(SandboxError, match="too old"):
        require_go(describe_cli())
