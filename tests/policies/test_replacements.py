"""What a preview would delete or replace is refused unless it was agreed; what cannot be read is never no change."""

import json
from datetime import date
from typing import Any

import pytest

from headroom.spec.errors import StackFileError
from policies.judgement import judge_steps
from policies.registry import RULES
from policies.replacements import KEPT, find_losses, read_steps
from policies.resources import make_urn
from policies.settings import Settings, parse_settings

POOL = "gcp:container/nodePool:NodePool"


def step(operation: str, kind: str = POOL, name: str = "dev-pool-l4", **more: Any) -> dict[str, Any]:
    urn = make_urn("dev", f"headroom:infra:NodePools${kind}", name)
    return {"op": operation, "urn": urn, **more}


def preview(*steps: dict[str, Any]) -> bytes:
    return json.dumps({"steps": steps, "changeSummary": {}}).encode()


def found(*steps: dict[str, Any], settings: Settings | None = None) -> list[str]:
    read = read_steps(preview(*steps), "preview.json")
    return [str(each) for each in judge_steps(read, settings or Settings(), RULES) if each.refuses]


@pytest.mark.parametrize("kind", [kind for kind in KEPT if kind != "kubernetes:helm.sh/v3:Release"])
@pytest.mark.parametrize(
    ("operations", "loss"),
    [
        (["delete"], "deleted"),
        (["create-replacement", "replace", "delete-replaced"], "replaced"),
        (["delete-replaced", "replace", "create-replacement"], "replaced"),
        (["delete-replaced"], "replaced"),
    ],
)
def test_the_loss_of_what_cannot_be_had_back_is_refused_once(
    kind: str, operations: list[str], loss: str
) -> None:
    """Job 2: deletion before creation or after, and what an earlier update left to delete."""
    (text,) = found(*(step(operation, kind, "thing") for operation in operations))
    assert text.startswith(f"[nothing-is-lost] thing: is {loss}: {KEPT[kind]}")


def test_the_properties_that_cause_a_replacement_are_named() -> None:
    steps = [
        step("create-replacement", replaceReasons=["nodeConfig.diskType"]),
        step("replace", replaceReasons=["nodeConfig.diskType"]),
        step("delete-replaced"),
    ]
    assert "is replaced because of nodeConfig.diskType: what runs there is evicted" in found(*steps)[0]


def test_the_release_of_kueue_is_kept_and_others_are_not_its_matter() -> None:
    kind = "kubernetes:helm.sh/v3:Release"
    kueue = {"inputs": {"chart": "oci://registry.k8s.io/kueue/charts/kueue"}}
    assert found(step("delete", kind, "dev-kueue", oldState=kueue))
    assert found(step("delete", kind, "dev-kueue", oldState={"inputs": {}}))
    assert found(step("delete", kind, "dev-jobset", oldState={"inputs": {"chart": "jobset"}})) == []


@pytest.mark.parametrize("operation", ["same", "create", "update", "refresh", "import", "read", "forget"])
def test_what_is_made_changed_or_kept_is_no_loss(operation: str) -> None:
    assert found(step(operation), step("delete", "gcp:monitoring/alertPolicy:AlertPolicy", "a")) == []


def test_what_pulumi_forgets_and_leaves_in_the_cloud_is_no_loss() -> None:
    bucket = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
    abandoned = {"inputs": {"deletionPolicy": "ABANDON"}}
    assert found(step("delete", bucket, "logs", oldState=abandoned)) == []
    assert found(step("delete", oldState={"inputs": {}, "retainOnDelete": True})) == []
    assert found(step("replace", bucket, "logs", oldState=abandoned)) != []


def test_an_operation_that_nobody_knows_is_refused() -> None:
    (text,) = found(step("obliterate"))
    assert "nobody knows what the operation obliterate does to it" in text


def test_an_exemption_lets_one_replacement_pass() -> None:
    """The override: it has an owner, a reason and a last day."""
    text = """
exemptions:
  - rule: nothing-is-lost
    resource: dev-pool-l4
    owner: "group:ml-platform@acme.example"
    reason: the pool gets larger disks on Sunday
    expires: 2026-12-31
"""
    settings = parse_settings(text.encode(), RULES, date(2026, 11, 21))
    assert found(step("replace"), settings=settings) == []
    assert len(found(step("replace"), step("replace", name="dev-pool-h100"), settings=settings)) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not what `pulumi preview --json` prints"),
        (b"[]", "is not what `pulumi preview --json` prints"),
        (b'{"config": {}}', "it has no steps"),
        (b'{"steps": {}}', "it has no steps"),
        (b'{"steps": [{"op": "same"}]}', "preview.json: steps[0]: has no op or no urn"),
        (b'{"steps": [4]}', "preview.json: steps[0]: has no op or no urn"),
        (b'{"steps": ' + b"[" * 100_000, "it has no steps"),
        (preview(step("delete", oldState="[x]")), "steps[0]: its oldState, or the inputs of that, are no"),
        (preview(step("same"), step("delete", oldState={"inputs": [1]})), "steps[1]: its oldState, or the"),
        (preview(step("replace", replaceReasons=5)), "steps[0]: its replaceReasons are no list"),
        (b'{"steps": [], "diagnostics": 4}', "diagnostics: is no list of mappings"),
        (b'{"steps": [], "diagnostics": ["error"]}', "diagnostics: is no list of mappings"),
    ],
)
def test_what_is_no_preview_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(StackFileError) as refused:
        read_steps(content, "preview.json")
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("failed", "said"),
    [
        (
            {
                "diagnostics": [
                    {"severity": "info"},
                    {"severity": "error", "message": "no quota\nin zone a\n"},
                ]
            },
            "diagnostics[1]: is an error: no quota, so its steps may not be all",
        ),
        ({"diagnostics": [{"severity": "error"}]}, "diagnostics[0]: is an error: it has no message"),
        ({"maybeCorrupt": True}, "maybeCorrupt: is set, so its steps may not be all"),
    ],
)
def test_a_preview_that_failed_half_way_is_refused_not_taken_for_no_loss(
    failed: dict[str, Any], said: str
) -> None:
    content = json.dumps({"steps": [step("same")], **failed}).encode()
    with pytest.raises(StackFileError) as refused:
        read_steps(content, "preview.json")
    assert said in str(refused.value)


def test_warnings_of_a_preview_are_no_failure() -> None:
    warned = {"steps": [step("same")], "diagnostics": [{"severity": "warning", "message": "old"}]}
    assert len(read_steps(json.dumps({**warned, "maybeCorrupt": False}).encode(), "preview.json")) == 1


def test_a_urn_that_cannot_be_read_is_no_loss_of_what_is_kept_and_raises_nothing() -> None:
    (only,) = read_steps(preview({"op": "delete", "urn": "urn:pulumi:dev"}), "preview.json")
    assert find_losses([only])[0][1] == "deleted"
    assert only.before.type == ""
