"""Builds the Pulumi CLI from Go modules, with the language executor beside it."""

from pathlib import Path

from sandbox.tools import go_build
from sandbox.tools.go_build import GoTool, Progress, build_tool, find_built

MODULE_FOLDER = Path(__file__).parent
PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
SDK_MODULE = "github.com/pulumi/pulumi/sdk/v3"
VERSION_VARIABLE = f"{SDK_MODULE}/go/common/version.Version"
EXEC_SCRIPT = "pulumi-language-python-exec"


def load_requirement(module: str) -> str:
    """The version, such as `v3.259.0`, of the Go module in go.mod; `go` gives the Go version it needs."""
    return go_build.load_requirement(MODULE_FOLDER, module)


def linker_flags() -> str:
    """Flags of the Go linker: no debugging tables, and the version that the CLI reports."""
    return f"-s -w -X {VERSION_VARIABLE}={load_requirement(SDK_MODULE)}"


def describe_cli() -> GoTool:
    """How the CLI is built."""
    version = load_requirement(SDK_MODULE)
    return GoTool(
        name="pulumi",
        title=f"the Pulumi CLI {version}",
        folder=MODULE_FOLDER,
        binaries={"pulumi": PACKAGE},
        linker_flags=linker_flags(),
        minutes=4,
        copies=((SDK_MODULE, f"python/cmd/{EXEC_SCRIPT}"),),
        shelf="engine",
        need="the sandbox needs the Pulumi CLI: there is no usable `pulumi` on PATH, none could be fetched",
        instead=f"Pulumi {version} or newer (https://www.pulumi.com/docs/install/)",
    )


def find_built_cli(go_version: str | None) -> Path | None:
    """The CLI built earlier from the same files by the same Go; by any Go where `go_version` is None."""
    folder = find_built(describe_cli(), go_version)
    return folder / "pulumi" if folder else None


def find_go_version() -> str | None:
    """What the `go` on PATH is, such as `go1.26.8-linux-amd64`; None without one."""
    return go_build.find_go_version(MODULE_FOLDER)


def build_cli(progress: Progress) -> Path:
    """Build the CLI, with the language executor beside it, and return its path; a second caller waits.

    Raises SandboxError where Go is absent or too old, or where the build fails.
    """
    return build_tool(describe_cli(), progress) / "pulumi"
