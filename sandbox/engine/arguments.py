"""Reads the arguments of the Pulumi CLI as far as the sandbox needs them: command, stack, files named."""

from dataclasses import dataclass
from pathlib import Path

from sandbox.engine.errors import SandboxError

# Options of the CLI whose value is the next argument and that may stand before the command
# (pulumi --help, 3.259).
OPTIONS_WITH_VALUE = {
    "--color",
    "--cwd",
    "-C",
    "--memprofilerate",
    "--otel-traces",
    "--profiling",
    "--tracing",
}
OPTIONS_WITH_VALUE |= {"--stack", "-s", "--verbose", "-v"}
# Options that name a file or folder; the CLI runs in the working copy, so they are made absolute.
PATH_OPTIONS = {"--file", "--out", "--plan", "--save-plan", "--policy-pack", "--policy-pack-config"}
PATH_OPTIONS |= {"--event-log", "--import-file"}
REFUSED_OPTIONS = {
    "--cwd": "the sandbox runs in a working copy of the project: change to the project's folder instead",
    "-C": "the sandbox runs in a working copy of the project: change to the project's folder instead",
    "--config-file": "the sandbox works on a copy of Pulumi.<stack>.yaml: put the settings there",
}
CONFIG_EDITS = {"cp", "rm", "rm-all", "set", "set-all"}


@dataclass(frozen=True)
class Invocation:
    """A call of the CLI: the words that are not options, such as ("config", "rm", "KEY"), and the stack."""

    words: tuple[str, ...]
    stack: str | None

    @property
    def edits_config(self) -> bool:
        """Whether the command is one that a person uses to change a stack file."""
        return self.words[:1] == ("config",) and len(self.words) > 1 and self.words[1] in CONFIG_EDITS

    @property
    def makes_stack(self) -> bool:
        """Whether the command itself creates or removes the stack, so that it must not be created before."""
        return self.words[:2] in {("stack", "init"), ("stack", "rm")} or self.words[:1] in {
            ("login",),
            ("new",),
        }


def read_invocation(arguments: list[str]) -> Invocation:
    """What the arguments ask for; raises SandboxError for an option that would lead out of the sandbox."""
    words: list[str] = []
    stack = None
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            break
        name, _, value = argument.partition("=")
        if name in REFUSED_OPTIONS:
            raise SandboxError(f"{name} does not work in the sandbox: {REFUSED_OPTIONS[name]}")
        if not argument.startswith("-"):
            words.append(argument)
        elif name in OPTIONS_WITH_VALUE:
            value = value or next(rest, "")
            stack = value if name in {"-s", "--stack"} else stack
        elif argument.startswith("-s") and not argument.startswith("--"):
            stack = argument[2:]
    if tuple(words[:2]) == ("stack", "select") and len(words) > 2:
        stack = words[2]
    return Invocation(tuple(words), _short_name(stack))


def resolve_paths(arguments: list[str], folder: Path) -> list[str]:
    """The arguments with the files they name relative to `folder` made absolute."""
    resolved = []
    follows = False
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if follows:
            resolved.append(_absolute(argument, folder))
        elif equals and name in PATH_OPTIONS:
            resolved.append(f"{name}={_absolute(value, folder)}")
        else:
            resolved.append(argument)
        follows = not follows and argument in PATH_OPTIONS
    return resolved


def _absolute(path: str, folder: Path) -> str:
    return path if path in {"", "-"} else str(folder / path)


def _short_name(stack: str | None) -> str | None:
    return stack.rsplit("/", 1)[-1] or None if stack else None
