import os
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.engine.errors import SandboxError
from sandbox.tools import go_build
from sandbox.tools.go_build import GoTool, build_tool, find_built, find_module_folder, load_requirement

# A `go` that answers as the real one does. What it builds is a program that prints its version.
FAKE_GO = r"""#!/bin/sh
case "$1" in
env) printf 'go1.99.0\nlinux\namd64\n' ;;
list) echo one; echo two ;;
mod) echo example.com/added v1 h1:x >> go.sum; printf '{"Dir": "%s"}' "$PWD" ;;
build)
  for last; do [ "$before" = -o ] && target="$last"; before="$last"; done
  mkdir -p "$(dirname "$target")"; printf '#!/bin/sh\necho "$1 v1.2.3"\n' > "$target"; chmod +x "$target" ;;
esac
"""


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GoTool:
    """A tool of two binaries, an empty cache, and a `go` that builds it."""
    folder, programs = tmp_path / "pair", tmp_path / "on-path"
    folder.mkdir()
    programs.mkdir()
    (folder / "go.mod").write_text(
        "module example.com/pair\n\ngo 1.26\n\ntool example.com/pair/one\n\n"
        "require example.com/pair v1.2.3\nreplace example.com/pair => example.com/pair v1.2.3\n"
    )
    (folder / "go.sum").write_text("")
    (programs / "go").write_text(FAKE_GO)
    (programs / "go").chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(programs), "/usr/bin", "/bin"]))
    monkeypatch.setenv("HEADROOM_CACHE", str(tmp_path / "cache"))
    packages = {"one": "example.com/pair/one", "two": "example.com/pair/two"}
    return GoTool("pair", "the pair v1.2.3", folder, packages, "-s", 2, (), ("--version",), "v1.2.3")


def test_all_binaries_are_built_and_later_found(tool: GoTool):
    lines: list[str] = []
    folder = build_tool(tool, lines.append)
    assert sorted(path.name for path in folder.iterdir()) == ["one", "two"]
    assert lines[0] == "building the pair v1.2.3 from Go modules, once; about 2 minutes on 2 cores"
    assert lines[-1].startswith("built the pair v1.2.3 in 0:0")
    assert find_built(tool, "go1.99.0-linux-amd64") == folder
    assert find_built(tool, None) == folder


def test_other_linker_flags_are_another_build(tool: GoTool):
    build_tool(tool, lambda _: None)
    assert find_built(replace(tool, linker_flags="-w"), None) is None


def test_folder_without_one_of_the_binaries_is_not_taken(tool: GoTool):
    folder = build_tool(tool, lambda _: None)
    (folder / "two").unlink()
    assert find_built(tool, None) is None


def test_program_that_says_another_version_is_not_kept(tool: GoTool):
    with pytest.raises(SandboxError, match="does not print 'v9'") as caught:
        build_tool(replace(tool, prints="v9"), lambda _: None)
    assert "one --version" in str(caught.value)
    assert find_built(tool, None) is None


def test_absent_go_names_the_tool_and_the_remedy(tool: GoTool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(
        SandboxError, match=r"the pair v1\.2\.3 has to be there, and Go, to build it, is not"
    ) as caught:
        build_tool(tool, lambda _: None)
    assert "Install Go 1.26 or newer (https://go.dev/dl/)" in str(caught.value)
    with pytest.raises(SandboxError, match=r"Go is not there, to fetch example.com/pair"):
        find_module_folder(tool.folder, "example.com/pair")


def test_failed_build_says_what_go_said(tool: GoTool, tmp_path: Path):
    program = tmp_path / "on-path" / "go"
    program.write_text(
        program.read_text().replace("list)", "list) echo no route to host >&2; exit 1;;\nother)")
    )
    with pytest.raises(SandboxError, match="no route to host") as caught:
        build_tool(tool, lambda _: None)
    assert "GOPROXY" in str(caught.value)
    assert find_built(tool, None) is None


def test_module_folder_is_found_without_touching_the_files_of_the_project(tool: GoTool):
    assert find_module_folder(tool.folder, "example.com/pair") != tool.folder
    assert (tool.folder / "go.sum").read_text() == ""


def test_module_that_cannot_be_fetched_is_one_message(tool: GoTool, tmp_path: Path):
    program = tmp_path / "on-path" / "go"
    program.write_text('#!/bin/sh\nprintf \'{"Error": "no such module"}\'\nexit 1\n')
    with pytest.raises(SandboxError, match=r"example.com/pair could not be fetched: no such module"):
        find_module_folder(tool.folder, "example.com/pair")


def test_requirement_is_neither_a_tool_line_nor_a_replacement(tool: GoTool):
    assert load_requirement(tool.folder, "example.com/pair") == "v1.2.3"
    assert load_requirement(tool.folder, "go") == "1.26"
    with pytest.raises(SandboxError, match=r"does not name example\.com/absent"):
        load_requirement(tool.folder, "example.com/absent")


def test_progress_counts_packages_of_the_total(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(go_build, "REPORT_EVERY_S", 0.0)
    lines: list[str] = []
    go_build._report(iter(["a/b\n", "c/d\n"]), lines.append, go_build.time.monotonic(), "compiling", 7)
    assert lines == ["0:00  compiling 1 of 7 packages: a/b", "0:00  compiling 2 of 7 packages: c/d"]
