"""Types are read from the installed pulumi_gcp."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.google import schema
from sandbox.google.schema import (
    UnknownTypeError,
    load_resource_type,
    provider_properties,
    read_resource_type,
)

POOL = "gcp:container/nodePool:NodePool"


def test_a_node_pool_requires_its_cluster_and_nothing_else() -> None:
    inputs = load_resource_type(POOL).inputs

    assert [name for name, declared in inputs.items() if declared.is_required] == ["cluster"]


def test_names_are_those_of_the_wire() -> None:
    assert {"nodeConfig", "nodeLocations", "maxPodsPerNode"} <= set(load_resource_type(POOL).inputs)


def test_nested_objects_tell_their_properties_kinds_and_requirements() -> None:
    node = load_resource_type(POOL).inputs["nodeConfig"].kind
    accelerators = node.properties()["guestAccelerators"].kind

    assert (node.name, accelerators.name, accelerators.element.name) == ("object", "list", "object")
    accelerator = accelerators.element.properties()
    assert accelerator["count"].kind.name == "int"
    assert accelerator["count"].is_required
    assert not accelerator["gpuPartitionSize"].is_required


def test_outputs_that_are_no_inputs_are_known_too() -> None:
    account = load_resource_type("gcp:serviceaccount/account:Account")

    assert {"email", "member", "uniqueId"} <= set(account.outputs) - set(account.inputs)


def test_a_closed_list_in_the_documentation_is_a_list_of_values() -> None:
    target = load_resource_type("gcp:clouddeploy/target:Target").inputs["executionConfigs"].kind.element
    inputs = load_resource_type("gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule").inputs

    assert inputs["direction"].values == ("INGRESS", "EGRESS")
    assert target.properties()["usages"].values == ()


@pytest.mark.parametrize(
    "token", ["gcp:container/nodePoool:NodePoool", "gcp:nowhere/thing:Thing", "aws:s3/bucket:Bucket", "gcp"]
)
def test_a_token_that_names_no_type_is_refused(token: str) -> None:
    with pytest.raises(UnknownTypeError, match=r"no type|not a token"):
        load_resource_type(token)


def test_the_provider_has_settings_of_its_own() -> None:
    assert {"project", "region", "defaultLabels", "userProjectOverride"} <= set(provider_properties())


@pytest.fixture
def _empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("HEADROOM_CACHE", str(tmp_path))
    schema._load_resource_type.cache_clear()
    yield
    schema._load_resource_type.cache_clear()


@pytest.mark.usefixtures("_empty_cache")
def test_a_type_that_was_read_once_is_the_same_when_it_is_recalled(monkeypatch: pytest.MonkeyPatch) -> None:
    read = load_resource_type(POOL)
    schema._load_resource_type.cache_clear()
    monkeypatch.setattr(schema, "read_resource_type", lambda token: pytest.fail(f"{token} was read again"))

    assert load_resource_type(POOL) == read == read_resource_type(POOL)


@pytest.mark.usefixtures("_empty_cache")
@pytest.mark.parametrize("content", ["", "{", "nonsense"])
def test_a_kept_type_that_cannot_be_read_is_read_anew(content: str, tmp_path: Path) -> None:
    read = load_resource_type(POOL)
    schema._load_resource_type.cache_clear()
    (kept,) = tmp_path.rglob("*.json")
    kept.write_text(content)

    assert load_resource_type(POOL) == read
    assert kept.read_text() != content


@pytest.mark.usefixtures("_empty_cache")
def test_a_cache_that_cannot_be_written_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HEADROOM_CACHE", str(tmp_path / "file"))

    assert load_resource_type(POOL) == read_resource_type(POOL)
