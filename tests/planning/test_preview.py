"""What a preview says would be done; of resources only types and names are kept."""

import json
from typing import Any

import pytest

from headroom.planning.preview import Step, parse_preview
from headroom.spec.errors import StackFileError

POOL = "gcp:container/nodePool:NodePool"


def urn(name: str, stack: str = "dev", kind: str = POOL) -> str:
    return f"urn:pulumi:{stack}::headroom::headroom:infra:NodePools${kind}::{name}"


def content(*steps: tuple[str, str], **more: Any) -> bytes:
    rows = [{"op": op, "urn": at, "newState": {"inputs": {"token": "hidden"}}} for op, at in steps]
    return json.dumps({"steps": rows, "changeSummary": {}} | more).encode()


def test_replacements_and_deletions_are_told_from_all_else() -> None:
    summary = parse_preview(
        content(
            ("same", urn("dev-pool-a")),
            ("replace", urn("dev-pool-b")),
            ("create-replacement", urn("dev-pool-b")),
            ("delete-replaced", urn("dev-pool-b")),
            ("delete", urn("dev-pool-c::odd")),
            ("update", urn("dev-pool-d")),
        ),
        "preview.json",
    )
    assert summary.stack == "dev"
    assert summary.replaced == (Step(POOL, "dev-pool-b"),)
    assert summary.deleted == (Step(POOL, "dev-pool-c::odd"),)
    assert summary.others == (("update", Step(POOL, "dev-pool-d")),)
    assert dict(summary.counts)["same"] == 1
    assert summary.changed
    assert "hidden" not in repr(summary)


def test_a_preview_without_changes_has_none() -> None:
    assert not parse_preview(content(("same", urn("a"))), "f").changed


def test_errors_of_the_preview_are_kept() -> None:
    rows = [
        {"severity": "error", "message": "update failed\n"},
        {"severity": "warning", "message": "old"},
    ]
    assert parse_preview(content(("same", urn("a")), diagnostics=rows), "f").errors == ("update failed",)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b'{"steps": 3}',
        b'{"steps": [{"op": "same"}]}',
        b'{"steps": [{"op": "same", "urn": "x"}]}',
        content(("same", urn("a")), ("same", urn("a", "prod"))),
        b"Previewing update (dev):",
    ],
)
def test_anything_else_is_refused_with_the_way_to_make_it(text: bytes) -> None:
    with pytest.raises(StackFileError, match=r"^preview.json: is not what `pulumi preview --json` writes"):
        parse_preview(text, "preview.json")
