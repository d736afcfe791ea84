"""Translates between the engine's protobuf structs and plain Python values."""

from typing import Any, Final

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 (a mark, not a secret)
OUTPUT_SIGNATURE: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
# One sentinel per kind of value: bool, number, string, list, asset, archive, object.
# Source: pulumi/pulumi sdk/go/common/resource/plugin/rpc.go, v3.259.0, read 2026-11-21.
_UNKNOWN_SENTINELS: Final = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        UNKNOWN_TEXT,
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)


class Unknown:
    """A value that is known only after an update; there is one instance, `UNKNOWN`."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __deepcopy__(self, memo: dict[int, Any]) -> "Unknown":
        return self


UNKNOWN: Final = Unknown()


class Secret:
    """A value that the engine marked as secret."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.value == other.value

    def __hash__(self) -> int:
        return hash(repr(self.value))


def reveal(value: Any) -> Any:
    """The value without its secret marks, at any depth."""
    if isinstance(value, Secret):
        return reveal(value.value)
    if isinstance(value, dict):
        return {key: reveal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [reveal(item) for item in value]
    return value


def cover(value: Any, pattern: Any) -> Any:
    """`value` with secret marks where `pattern` has them: inputs' marks return on outputs."""
    if isinstance(pattern, Secret):
        return value if isinstance(value, Secret) else Secret(value)
    if isinstance(pattern, dict) and isinstance(value, dict):
        return {key: cover(item, pattern.get(key)) for key, item in value.items()}
    if isinstance(pattern, list) and isinstance(value, list) and len(pattern) == len(value):
        return [cover(item, mark) for item, mark in zip(value, pattern, strict=True)]
    return value


def is_known(value: Any) -> bool:
    """Whether no part of the value is unknown."""
    if isinstance(value, Secret):
        return is_known(value.value)
    if isinstance(value, dict):
        return all(is_known(item) for item in value.values())
    if isinstance(value, list):
        return all(is_known(item) for item in value)
    return value is not UNKNOWN


def decode(struct: Any) -> dict[str, Any]:
    """A protobuf struct as a dictionary; whole numbers become ints, sentinels `UNKNOWN`."""
    return {key: _decode_value(value) for key, value in struct.fields.items()}


def _decode_value(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _decode_object(value.struct_value)
    if kind == "list_value":
        return [_decode_value(item) for item in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "string_value":
        return UNKNOWN if value.string_value in _UNKNOWN_SENTINELS else value.string_value
    return value.bool_value if kind == "bool_value" else None


def _decode_object(struct: Any) -> Any:
    plain = decode(struct)
    if plain.get(SIGNATURE) == SECRET_SIGNATURE:
        return Secret(plain.get("value"))
    if plain.get(SIGNATURE) == OUTPUT_SIGNATURE:
        value = plain.get("value", UNKNOWN)
        return Secret(value) if plain.get("secret") else value
    return plain


def encode(values: dict[str, Any]) -> Any:
    """A dictionary as a protobuf struct, the opposite of `decode`."""
    from google.protobuf.struct_pb2 import Struct  # ty: ignore[import-not-found]

    struct = Struct()
    for key, item in values.items():
        _encode_into(struct.fields[key], item)
    return struct


def _encode_into(target: Any, value: Any) -> None:
    if isinstance(value, Secret):
        value = {SIGNATURE: SECRET_SIGNATURE, "value": value.value}
    if value is UNKNOWN:
        target.string_value = UNKNOWN_TEXT
    elif value is None:
        target.null_value = 0
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, (int, float)):
        target.number_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, dict):
        target.struct_value.SetInParent()
        for key, item in value.items():
            _encode_into(target.struct_value.fields[key], item)
    else:
        target.list_value.SetInParent()
        for item in value:
            _encode_into(target.list_value.values.add(), item)
