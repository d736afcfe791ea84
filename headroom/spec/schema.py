"""The JSON Schema of a whole stack file: headroom's keys exactly, those of others freely."""

from typing import Any

from headroom.spec.stack_file import json_schema


def stack_file_schema() -> dict[str, Any]:
    """Return a JSON Schema (2020-12) that editors understand."""
    config = dict(json_schema())
    definitions = config.pop("$defs")
    title = config.pop("title")
    config["additionalProperties"] = False
    config["patternProperties"] = {"^(?!headroom:)[^:]+:.+$": {}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "required": ["config"],
        "properties": {
            "config": config,
            "encryptionsalt": {"type": "string"},
            "encryptedkey": {"type": "string"},
            "secretsprovider": {"type": "string"},
        },
        "$defs": definitions,
    }
