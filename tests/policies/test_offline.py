"""The offline check sees what the engine would be asked for, and says of it what the pack says."""

from pathlib import Path

import pytest

from headroom.planning.plan import plan_config
from headroom.spec.errors import StackFileError
from headroom.spec.stack_file import load_config
from infra.offline import Registered, record
from policies.offline import judge_offline, read_registration
from policies.registry import RULES
from policies.resources import UNKNOWN
from policies.settings import Settings
from tests.policies.scenes import open_scene

UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def register(root: Path, stack: str) -> list[Registered]:
    path = root / f"Pulumi.{stack}.yaml"
    plan = plan_config(load_config(path), stack, path.name)

    async def main() -> None:
        from infra.stack import build

        await build(plan).registered()

    return record(stack, main)


def test_a_registration_keeps_options_parent_and_provider(root: Path) -> None:
    found = {each.name: each for each in register(root, "prod") if not each.type.startswith("headroom:")}
    cluster = read_registration("prod", found["prod-cluster"])
    assert cluster.options.protect
    assert cluster.options.parent.endswith("::prod-cluster")
    assert cluster.options.provider == "prod-google"
    assert cluster.options.comes_from("network", ["gcp:compute/network:Network"])
    assert not cluster.options.comes_from("network", ["gcp:compute/subnetwork:Subnetwork"])
    assert "Provider" not in read_registration("prod", found["prod-google"]).options.provider


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_clean_stacks_are_refused_nothing(root: Path, stack: str) -> None:
    """Job 2: no credentials, no engine, no state."""
    verdicts = judge_offline(stack, register(root, stack), root, Settings(), RULES)
    assert [str(verdict) for verdict in verdicts if verdict.refuses] == []


def test_it_says_what_the_pack_says_of_the_same_resources(root: Path) -> None:
    scene = open_scene("dev")
    scene.set_quota("dev-queue-experiments", "l4", "nvidia.com/gpu", "nominalQuota", "1")
    scene.put("dev-cluster", "deletionProtection", to=UNKNOWN_TEXT)
    registered = [Registered(row["type"], row["name"], row["inputs"], {}) for row in scene.registrations]
    offline = judge_offline("dev", registered, root, Settings(), RULES)
    assert [str(each) for each in offline] == [str(each) for each in scene.verdicts()]
    assert any(each.rule.name == "headroom-kept" for each in offline)


def test_what_is_not_known_is_unknown_here_too() -> None:
    given = Registered("t", "n", {"a": [UNKNOWN_TEXT]}, {"ignore": ["b"]})
    resource = read_registration("dev", given)
    assert resource.read("a", 0) is UNKNOWN
    assert resource.options.ignored == ("b",)


def test_a_record_that_cannot_be_read_ends_the_check(root: Path, tmp_path: Path) -> None:
    (tmp_path / "quotas").mkdir()
    (tmp_path / "quotas" / "dev.promises.json").write_text("{")
    registered = [Registered("t", "n", {}, {})]
    with pytest.raises(StackFileError, match=r"quotas/dev.promises.json: is not valid JSON"):
        judge_offline("dev", registered, tmp_path, Settings(), RULES)
