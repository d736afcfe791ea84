"""Reads the arguments of the Pulumi CLI as far as the sandbox needs them: command, stack, files named."""

from dataclasses import dataclass
from pathlib import Path

from sandbox.engine.errors import SandboxError

# Options whose value is the next argument and that may stand before the command (pulumi --help, 3.259).
OPTIONS_WITH_VALUE = {"--color", "--cwd", "--memprofilerate", "--otel-traces", "--profiling", "--stack"}
OPTIONS_WITH_VALUE |= {"--tracing", "--verbose"}
# Letters that take a value: in every command, or in those named (pulumi COMMAND --help, 3.259).
LETTERS_WITH_VALUE = "Cmpsvx"
LETTERS_WITH_VALUE_IN = {
    "c": {"destroy", "login", "logout", "new", "preview", "refresh", "up"},
    "d": {"config", "new"},
    "f": {"import", "plugin"},
    "n": {"new"},
    "o": {"import", "stack"},
    "r": {"logs"},
    "t": {"destroy", "preview", "refresh", "stack", "up"},
}
LETTERS_WITHOUT_VALUE_IN = {"v": {"whoami"}}
# Options that name a file or folder; the CLI runs in the working copy, so they are made absolute.
PATH_OPTIONS = {"--file", "--out", "--plan", "--save-plan", "--policy-pack", "--policy-pack-config"}
PATH_OPTIONS |= {"--event-log", "--import-file"}
_ELSEWHERE = "the sandbox runs in a working copy of the project: change to the project's folder instead"
REFUSED_OPTIONS = {
    "--cwd": _ELSEWHERE,
    "-C": _ELSEWHERE,
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

    @property
    def needs_stack(self) -> bool:
        """Whether the stack has to be there; `stack select --create` makes one too."""
        return not self.makes_stack and self.words[:2] != ("stack", "select")


def read_invocation(arguments: list[str]) -> Invocation:
    """What the arguments ask for; raises SandboxError for an option that would lead out of the sandbox."""
    words: list[str] = []
    stack = None
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            break
        if not argument.startswith("-") or argument == "-":
            words.append(argument)
            continue
        name, value = _read_option(argument, words[0] if words else "")
        if name in REFUSED_OPTIONS:
            raise SandboxError(f"{name} does not work in the sandbox: {REFUSED_OPTIONS[name]}")
        if name and value is None:
            value = next(rest, "")
        stack = value if name in {"-s", "--stack"} else stack
    if tuple(words[:2]) == ("stack", "select") and len(words) > 2:
        stack = words[2]
    return Invocation(tuple(words), _short_name(stack))


def _read_option(argument: str, command: str) -> tuple[str, str | None]:
    """The option that takes a value and that value, None where it is the next argument.

    An option that takes none, or a value of which the sandbox need not know, has the name "".
    """
    if not argument.startswith("--"):
        return _read_letters(argument[1:], command)
    name, equals, value = argument.partition("=")
    is_known = name in OPTIONS_WITH_VALUE or name in REFUSED_OPTIONS
    return (name if is_known else "", value if equals else None)


def _read_letters(letters: str, command: str) -> tuple[str, str | None]:
    """As `_read_option`, of the letters after one dash: the first that takes a value takes the rest."""
    for place, letter in enumerate(letters, 1):
        value = letters[place:]
        if value.startswith("=") or _takes_value(letter, command):
            return f"-{letter}", value.removeprefix("=") if value else None
    return "", None


def _takes_value(letter: str, command: str) -> bool:
    if command in LETTERS_WITHOUT_VALUE_IN.get(letter, ()):
        return False
    return letter in LETTERS_WITH_VALUE or command in LETTERS_WITH_VALUE_IN.get(letter, ())


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
