"""The Python environment in which a Pulumi program or policy pack runs, and what is installed in it."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sandbox.engine.errors import SandboxError

LIST_PACKAGES = (
    "import importlib.metadata as m, json\n"
    "print(json.dumps(sorted({(d.metadata['Name'], d.version) for d in m.distributions()})))"
)


@dataclass(frozen=True)
class PluginRequirement:
    """A provider plugin that an installed package needs; `server` is '' where it has none of its own."""

    name: str
    version: str
    server: str


def find_virtualenv(root: Path, options: dict[str, object]) -> Path | None:
    """The folder that the runtime option `virtualenv` names, relative to the project's folder `root`."""
    named = options.get("virtualenv")
    return root / str(named) if named else None


def require_python(root: Path, options: dict[str, object]) -> Path:
    """The interpreter of the program's environment: of the `virtualenv` option, else the one running now.

    Raises SandboxError where the named environment is not there.
    """
    folder = find_virtualenv(root, options)
    if folder is None:
        return Path(sys.executable)
    python = folder / "bin" / "python"
    if not python.is_file():
        raise SandboxError(
            f"the virtual environment {folder} is not there: run `pulumi install` or `make setup`"
        )
    return python


def load_plugin_requirements(python: Path) -> list[PluginRequirement]:
    """The provider plugins that the packages installed beside the interpreter declare."""
    found = []
    for packages in sorted(python.parent.parent.glob("lib/python3*/site-packages")):
        for file in sorted(packages.glob("*/pulumi-plugin.json")):
            about = json.loads(file.read_text(encoding="utf-8"))
            if about.get("resource"):
                name = about.get("name") or file.parent.name.removeprefix("pulumi_")
                found.append(PluginRequirement(name, about.get("version", ""), about.get("server", "")))
    return found


def list_packages(python: Path) -> list[tuple[str, str]]:
    """Name and version of each package installed in the environment of the interpreter."""
    answer = subprocess.run([str(python), "-c", LIST_PACKAGES], capture_output=True, text=True, check=True)
    return [(name, version) for name, version in json.loads(answer.stdout)]


def plan_install(root: Path, program: Path, options: dict[str, object]) -> list[list[str]]:
    """The commands that make the environment and fill it from the nearest requirements.txt, in order."""
    folder = find_virtualenv(root, options)
    requirements = find_requirements(root, program)
    commands = []
    if folder is not None and not (folder / "bin" / "python").is_file():
        commands.append([sys.executable, "-m", "venv", str(folder)])
    if requirements is not None:
        python = sys.executable if folder is None else str(folder / "bin" / "python")
        pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "-r", str(requirements)]
        commands.append(pip)
    return commands


def find_requirements(root: Path, program: Path) -> Path | None:
    """The requirements.txt of the program's folder, else of the nearest folder above it up to `root`."""
    for folder in (program, *program.parents):
        if (folder / "requirements.txt").is_file():
            return folder / "requirements.txt"
        if folder == root:
            break
    return None
