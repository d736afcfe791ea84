"""Remembers which encrypted values of a stack file are another key's, and what stands in for each of them."""

import json
from pathlib import Path

from sandbox.engine.cache import replace_file

# What a program in the sandbox sees in the place of a secret that only the real key opens.
STAND_IN_VALUE = "sandbox-stand-in"


class SecretStandIns:
    """Stand-ins of one stack, kept in the folder `folder` as encrypted values only."""

    def __init__(self, folder: Path, stack: str) -> None:
        self._path = folder / f"{stack}.json"

    def load(self) -> dict[str, str]:
        """Stand-ins by the encrypted value that they replace."""
        return self._read()["stand_ins"]

    def find_missing(self, ciphertexts: list[str]) -> list[str]:
        """Those that neither have a stand-in nor were encrypted by the sandbox itself."""
        known = self._read()
        return [text for text in ciphertexts if text not in known["stand_ins"] and text not in known["own"]]

    def add(self, stand_ins: dict[str, str]) -> None:
        """Remember more stand-ins."""
        known = self._read()
        known["stand_ins"].update(stand_ins)
        self._write(known)

    def add_own(self, ciphertexts: list[str]) -> None:
        """Remember values that the sandbox encrypted: they stay as they are."""
        known = self._read()
        known["own"] = sorted({*known["own"], *ciphertexts})
        self._write(known)

    def forget(self) -> None:
        """Drop all, because the key they were encrypted with is gone."""
        self._path.unlink(missing_ok=True)

    def placeholders(self, count: int) -> list[str]:
        """Settings, as `config set-all` takes them, that make the CLI encrypt `count` stand-ins in order."""
        return [f"sandbox:standIn{index:06}={STAND_IN_VALUE}" for index in range(count)]

    def _read(self) -> dict:
        if not self._path.is_file():
            return {"stand_ins": {}, "own": []}
        return json.loads(self._path.read_text(encoding="utf-8"))

    def _write(self, known: dict) -> None:
        replace_file(self._path, json.dumps(known, indent=1), mode=0o600)
