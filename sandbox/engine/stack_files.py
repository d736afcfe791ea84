"""Turns a stack file of the repository into the sandbox's copy of it, and an edited copy back.

A stack file says how its secrets are encrypted (`secretsprovider`, `encryptedkey`, `encryptionsalt`) and
holds them encrypted. The sandbox has a key of its own, so its copy leaves those lines out and has a stand-in,
which the sandbox can decrypt, in the place of each secret.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from sandbox.engine.errors import SandboxError

PROVIDER_KEYS = ("secretsprovider", "encryptedkey", "encryptionsalt")
_PROVIDER_LINE = re.compile(rf"^['\"]?({'|'.join(PROVIDER_KEYS)})['\"]?\s*:")
_SALT = re.compile(r"^encryptionsalt:\s*(\S+)", re.MULTILINE)
_SECURE = re.compile(r"(\bsecure['\"]?\s*:\s*)(['\"]?)([A-Za-z0-9+/=:_-]+)\2")


def find_stack_files(project: Path) -> dict[str, Path]:
    """The stack files of the project's folder by the name of their stack."""
    found = sorted(path for path in project.glob("Pulumi.*.y*ml") if path.suffix in {".yaml", ".yml"})
    return {path.name.split(".", 1)[1].rsplit(".", 1)[0]: path for path in found}


def read_settings(path: Path) -> str:
    """The text of the file. Raises SandboxError where it is no text or cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise SandboxError(f"{path.name} is not UTF-8 text: restore it or write it anew") from None
    except OSError as error:
        raise SandboxError(f"{path.name} cannot be read: {error.strerror}") from None


def is_readable(path: Path) -> bool:
    """Whether `read_settings` gives a text."""
    try:
        read_settings(path)
    except SandboxError:
        return False
    return True


def split_provider(text: str) -> tuple[str, str]:
    """The text without the top-level lines that say how secrets are encrypted, and those lines."""
    kept: list[str] = []
    taken: list[str] = []
    inside = False
    for line in text.splitlines(keepends=True):
        inside = bool(_PROVIDER_LINE.match(line)) or (inside and line.startswith((" ", "\t")))
        (taken if inside else kept).append(line)
    return "".join(kept), "".join(taken)


def find_salt(text: str) -> str | None:
    """The value of `encryptionsalt`, or None."""
    found = _SALT.search(text)
    return found[1] if found else None


def find_ciphertexts(text: str) -> list[str]:
    """The encrypted values in the order in which they stand, each once."""
    return list(dict.fromkeys(match[3] for match in _SECURE.finditer(text)))


def to_sandbox(text: str, salt: str | None, stand_ins: Mapping[str, str]) -> str:
    """The sandbox's copy: its own salt, and stand-ins (by the encrypted value they replace)."""
    body, _ = split_provider(text)
    if salt is None:
        return _replace_ciphertexts(body, stand_ins)
    return f"encryptionsalt: {salt}\n" + _replace_ciphertexts(body, stand_ins)


def from_sandbox(edited: str, original: str, stand_ins: Mapping[str, str]) -> str:
    """The repository's file after an edit of the sandbox's copy, with its own provider lines and secrets."""
    body, _ = split_provider(edited)
    body = _replace_ciphertexts(body, {stand_in: secret for secret, stand_in in stand_ins.items()})
    _, provider = split_provider(original)
    if not provider:
        return body
    return _insert_provider(body, provider, _is_provider_first(original))


def _replace_ciphertexts(text: str, replacements: Mapping[str, str]) -> str:
    def replace(match: re.Match[str]) -> str:
        return f"{match[1]}{match[2]}{replacements.get(match[3], match[3])}{match[2]}"

    return _SECURE.sub(replace, text)


def _is_provider_first(original: str) -> bool:
    """Whether the provider lines stand above the settings; Pulumi writes `encryptionsalt` above them."""
    for line in original.splitlines():
        if _PROVIDER_LINE.match(line):
            return True
        if line.startswith("config:"):
            return False
    return True


def _insert_provider(body: str, provider: str, first: bool) -> str:
    provider = provider if provider.endswith("\n") else provider + "\n"
    lines = body.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    place = len(lines)
    if first:
        comments = (index for index, line in enumerate(lines) if not line.startswith("#"))
        place = next(comments, len(lines))
    return "".join([*lines[:place], provider, *lines[place:]])
