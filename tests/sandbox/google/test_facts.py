"""The data files agree with pulumi_gcp and are complete."""

import re
from pathlib import Path

import pytest
import yaml

from sandbox.google.facts import load_facts, load_table
from sandbox.google.schema import load_resource_type

FOLDER = Path("sandbox/google/facts")
FILES = sorted((Path(__file__).parents[3] / FOLDER / "resources").glob("*.yaml"))
ROWS = {
    token: row
    for path in FILES
    for token, row in yaml.load(
        path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    ).items()
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_path_in_the_facts_exists_in_pulumi_gcp(path: Path) -> None:
    strange = []
    for token in load_table(f"resources/{path.stem}"):
        facts = load_facts(token)
        named = facts.immutable | facts.unordered | facts.computed | set(facts.values) | set(facts.defaults)
        strange += [(token, name) for name in named if not _exists(token, name)]

    assert strange == []


def _exists(token: str, path: str) -> bool:
    properties = load_resource_type(token).inputs
    for part in path.split("."):
        if part not in properties:
            return False
        kind = properties[part].kind
        while kind.name == "list":
            kind = kind.element
        properties = kind.properties()
    return True


def test_every_row_names_its_source_and_date() -> None:
    assert [token for token, row in ROWS.items() if not (row.get("source") and row.get("date"))] == []


def test_every_pattern_is_a_regular_expression() -> None:
    patterns = [pattern for row in ROWS.values() for pattern in row.get("patterns", {}).values()]

    assert patterns
    assert all(re.compile(pattern) for pattern in patterns)


def test_the_types_that_the_project_uses_have_rows() -> None:
    needed = [
        "container/cluster:Cluster",
        "container/nodePool:NodePool",
        "compute/network:Network",
        "compute/router:Router",
        "compute/subnetwork:Subnetwork",
        "compute/routerNat:RouterNat",
        "compute/firewall:Firewall",
        "compute/address:Address",
        "compute/resourcePolicy:ResourcePolicy",
        "kms/keyRing:KeyRing",
        "kms/cryptoKey:CryptoKey",
        "projects/service:Service",
        "serviceaccount/account:Account",
        "storage/bucket:Bucket",
        "pubsub/topic:Topic",
    ]

    assert [token for token in needed if f"gcp:{token}" not in ROWS] == []


def test_all_of_a_binding_is_immutable_but_the_members_of_a_binding_of_a_whole_role() -> None:
    member = load_facts("gcp:projects/iAMMember:IAMMember")
    binding = load_facts("gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding")

    assert {"role", "member", "project", "condition.title"} <= member.immutable
    assert "members" not in binding.immutable
    assert "members" in binding.unordered


def test_a_type_without_a_row_keeps_its_name_and_place() -> None:
    facts = load_facts("gcp:redis/instance:Instance")

    assert not facts.is_row
    assert {"name", "region", "project"} <= facts.immutable
