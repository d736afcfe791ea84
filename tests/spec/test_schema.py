"""The JSON Schema that editors show to whoever writes a stack file."""

from collections.abc import Iterator
from typing import Any

import pytest

from headroom.spec.schema import stack_file_schema

OF_PULUMI = ("config", "encryptionsalt", "encryptedkey", "secretsprovider")


def options(name: str, node: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, option in node.get("properties", {}).items():
        if key not in OF_PULUMI:
            yield f"{name}.{key}", option


def all_options() -> dict[str, dict[str, Any]]:
    schema = stack_file_schema()
    sections = {"": schema["properties"]["config"]} | schema["$defs"]
    return {path: option for name, node in sections.items() for path, option in options(name, node)}


@pytest.mark.parametrize("path", sorted(all_options()))
def test_every_option_has_a_short_description(path: str) -> None:
    description = all_options()[path].get("description", "")
    assert 4 <= len(description) <= 110


def test_every_section_has_a_description() -> None:
    sections = stack_file_schema()["$defs"]
    assert [name for name, node in sections.items() if not node.get("description")] == []


def test_the_walk_reaches_sections_within_sections() -> None:
    paths = all_options()
    assert {".headroom:pools", "Pool.boot_disk", "BootDisk.size", "BlueGreen.soak_seconds"} <= paths.keys()
