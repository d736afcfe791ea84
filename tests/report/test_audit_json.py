"""An audit as JSON and CSV: what the schema says, and nothing unknown as zero."""

import csv
import json
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from headroom.audit.history import compare, note
from headroom.audit.report import Audit
from headroom.audit.snapshot import Unread
from headroom.report.audit_json import CSV_COLUMNS, SCHEMA_FILE, describe_audit, render_audit, render_csv
from tests.audit.test_findings import CASES
from tests.audit.worlds import NOW, World, flat, make_world, rising

L4 = "NVIDIA-L4-GPUS-per-project-region"


@pytest.fixture(scope="module")
def healthy() -> World:
    return make_world()


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json.loads(SCHEMA_FILE.read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(close(schema))


def close(schema: Any) -> Any:
    """The schema with no room for fields that it does not name, so that none is forgotten."""
    if isinstance(schema, dict):
        closed = {key: close(value) for key, value in schema.items()}
        return closed | {"additionalProperties": False} if "properties" in schema else closed
    return [close(each) for each in schema] if isinstance(schema, list) else schema


def with_change(world: World) -> Audit:
    before = note(world.but(at=NOW - timedelta(days=1)).used("rank", "l4", "gpus", flat(0)).audit())
    audit = world.audit()
    return replace(audit, change=compare(before, note(audit)))


@pytest.mark.parametrize("name", CASES)
def test_every_audit_is_as_the_schema_says(
    healthy: World, validator: Draft202012Validator, name: str
) -> None:
    """Q8."""
    validator.validate(json.loads(render_audit(CASES[name][0](healthy).audit())))


def test_an_audit_with_all_that_there_can_be_is_as_the_schema_says(
    healthy: World, validator: Draft202012Validator
) -> None:
    content = json.loads(render_audit(with_change(healthy.quota_used(L4, rising(1, 15)))))
    validator.validate(content)
    assert content["change"]["gone"] == [{"code": "guarantee-idle", "subject": "rank/l4/gpus"}]
    assert content["proposals"]
    assert content["version"] == 1


def test_what_is_not_known_is_null(healthy: World, validator: Draft202012Validator) -> None:
    blank = Unread("no answer")
    blind = healthy.but(
        grants=blank,
        queue_use=blank,
        quota_use=blank,
        queues=blank,
        nodes=blank,
        node_pools=blank,
        deployed=blank,
    )
    content = describe_audit(blind.audit())
    validator.validate(content)
    quota = next(row for row in content["quotas"] if row["quota_id"] == L4)
    assert [quota[name] for name in ("granted", "provisioned", "used", "peak", "series")] == [None] * 5
    assert {part["used"] for part in quota["pipelines"]} == {None}
    pool = next(row for row in content["pools"] if row["resource"] == "gpus")
    assert [pool[name] for name in ("nodes", "provisioned", "used", "peak")] == [None] * 4
    assert content["exit_code"] == 3
    assert content["proposals"] == []


def test_csv_has_a_line_for_every_row_and_leaves_the_unknown_empty(healthy: World) -> None:
    blind = healthy.but(nodes=Unread("no answer"))
    rows = list(csv.DictReader(StringIO(render_csv(blind.audit()))))
    assert tuple(rows[0]) == CSV_COLUMNS
    audit = blind.audit()
    parts = sum(len(row.holdings) for row in (*audit.quotas, *audit.pools))
    assert len(rows) == len(audit.quotas) + len(audit.pools) + parts
    (l4,) = [row for row in rows if (row["kind"], row["name"]) == ("quota", L4)]
    assert (l4["granted"], l4["promised"], l4["provisioned"], l4["used"]) == ("20", "16", "", "10")
    (rank,) = [
        row for row in rows if (row["kind"], row["name"], row["resource"]) == ("pipeline", "rank/l4", "gpus")
    ]
    assert (rank["owner"], rank["guarantee"], rank["cap"], rank["used"]) == (
        "user:ada@acme.example",
        "8",
        "12",
        "4",
    )
