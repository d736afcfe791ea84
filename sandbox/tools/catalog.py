"""The tools of tools.yaml, and where their binaries and the sources of their modules are."""

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from sandbox.engine.errors import SandboxError
from sandbox.tools import go_build
from sandbox.tools.go_build import GoTool, Progress, build_tool, find_built, find_go_version, load_requirement

FOLDER = Path(__file__).parent
# go.mod files that fix versions of what is only read: manifests, not programs.
MANIFEST_FOLDERS = ("monitoring",)


@functools.cache
def load_tools() -> Mapping[str, GoTool]:
    """The tools by name, in the order of tools.yaml."""
    rows = yaml.safe_load((FOLDER / "tools.yaml").read_text(encoding="utf-8"))
    return {name: _read_tool(name, row) for name, row in rows.items()}


def require_tool(name: str) -> GoTool:
    """The tool called `name`, or the one of which `name` is a binary; raises SandboxError for any other."""
    tools = load_tools()
    if name in tools:
        return tools[name]
    for tool in tools.values():
        if name in tool.binaries:
            return tool
    raise SandboxError(f"there is no tool called {name!r}: name one of {', '.join(tools)}")


def find_binary(name: str) -> Path | None:
    """The binary `name`, such as `kube-apiserver`, where it has been built already."""
    tool = require_tool(name)
    folder = find_built(tool, find_go_version(tool.folder))
    return folder / _binary_name(tool, name) if folder else None


def locate_binary(name: str, progress: Progress) -> Path:
    """The binary `name`, built now if need be; `progress` gets lines for a person to read.

    Raises SandboxError where it is absent and cannot be built.
    """
    tool = require_tool(name)
    return find_binary(name) or build_tool(tool, progress) / _binary_name(tool, name)


def locate_binaries(name: str, progress: Progress) -> dict[str, Path]:
    """All binaries of the tool by name, built now if need be. Raises SandboxError as locate_binary does."""
    tool = require_tool(name)
    folder = find_built(tool, find_go_version(tool.folder)) or build_tool(tool, progress)
    return {binary: folder / binary for binary in tool.binaries}


@functools.cache
def find_module_folder(module: str) -> Path:
    """The folder with the source of a Go module that one of the tools names, in that version.

    `sigs.k8s.io/kueue` has its chart and manifests there. Fetched if need be. Raises SandboxError for a
    module that no go.mod here names, and where it cannot be had.
    """
    for folder in (*(tool.folder for tool in load_tools().values()), *(FOLDER / f for f in MANIFEST_FOLDERS)):
        try:
            version = load_requirement(folder, module)
        except SandboxError:
            continue
        if f"{module} {version} h1:" in (folder / "go.sum").read_text(encoding="utf-8"):
            return go_build.find_module_folder(folder, module)
    raise SandboxError(f"no go.mod in sandbox/tools fixes the version of {module}")


def _binary_name(tool: GoTool, name: str) -> str:
    return name if name in tool.binaries else next(iter(tool.binaries))


def _read_tool(name: str, row: Mapping[str, Any]) -> GoTool:
    version = load_requirement(FOLDER / name, row["module"])
    found = re.match(r"v(\d+)\.(\d+)", version)
    if found is None:
        raise SandboxError(f"sandbox/tools/{name}/go.mod: {version} is no version: restore the file from git")
    facts = {"version": version, "major": found[1], "minor": found[2]}
    variables = {key: value.format(**facts) for key, value in row["variables"].items()}
    return GoTool(
        name=name,
        title=f"{row['title']} {version}",
        folder=FOLDER / name,
        binaries=row["binaries"],
        linker_flags=" ".join(["-s -w", *(f"-X {key}={value}" for key, value in variables.items())]),
        minutes=row["minutes"],
        version_call=tuple(row["version_call"]),
        prints=row["prints"].format(**facts),
    )
