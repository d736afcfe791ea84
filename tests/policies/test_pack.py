"""The rules as Pulumi asks them: no unknown value ends or lowers a mandatory policy."""

import json
from pathlib import Path
from typing import Any

import pytest
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyCustomTimeouts,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from policies.pack import make_policies, read_resource
from policies.registry import RULES
from policies.resources import UNKNOWN, Missing
from tests.policies.scenes import ROOT, Scene, open_scene

GPU = "nvidia.com/gpu"
OPTIONS = PolicyResourceOptions(False, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])


def as_sent(value: Any) -> Any:
    """What the engine sends: an unknown value as the text that stands for it."""
    return json.loads(
        json.dumps(value, default=lambda each: UNKNOWN_STRING_VALUE if each is UNKNOWN else each)
    )


class Engine:
    """Asks a pack's policies as the engine does, and keeps what they report."""

    def __init__(self, root: Path) -> None:
        self.policies: list[Policy] = make_policies(root, RULES)
        self.reports: list[tuple[EnforcementLevel | None, str]] = []
        self.come_from: dict[tuple[str, str], str] = {}
        """By a resource's name and property, the name of the resource whose output it is."""

    def run(self, scene: Scene, *, shown: bool = True) -> "Engine":
        resources = scene.resources()
        for policy in self.policies:
            if isinstance(policy, ResourceValidationPolicy) and shown:
                for each in resources:
                    args = (each.type, unknown_checking_proxy(as_sent(each.properties)), each.urn, each.name)
                    policy.validate(ResourceValidationArgs(*args, OPTIONS, None), self._reporter(policy))
        for policy in self.policies:
            if isinstance(policy, StackValidationPolicy):
                found = [
                    PolicyResource(
                        each.type,
                        unknown_checking_proxy({} if shown else as_sent(each.properties)),
                        each.urn,
                        each.name,
                        OPTIONS,
                        None,
                        None,
                        [],
                        {},
                    )
                    for each in resources
                ]
                by_name = {each.name: each for each in found}
                for (name, key), source in self.come_from.items():
                    sources = [by_name[source]] if source in by_name else []
                    by_name[name].property_dependencies[key] = sources
                policy.validate(StackValidationArgs(found), self._reporter(policy))
        return self

    def _reporter(self, policy: Policy) -> Any:
        return lambda message, urn=None: self.reports.append((policy.enforcement_level, message))

    def said(self, level: EnforcementLevel) -> list[str]:
        return [message for at, message in self.reports if at is level]


@pytest.fixture
def engine() -> Engine:
    return Engine(ROOT)


def test_the_clean_stack_is_clean_by_what_the_program_asks_for(engine: Engine) -> None:
    """What came of it is not looked at: in a preview half of that is unknown."""
    assert engine.run(open_scene("dev")).reports == []


def test_resources_that_were_not_shown_are_judged_by_what_came_of_them(engine: Engine) -> None:
    """The rules of single resources too: nothing else would report what they find."""
    scene = open_scene("dev").set_quota("dev-queue-experiments", "l4", GPU, "nominalQuota", "1")
    scene.add("gcp:serviceaccount/key:Key", "k", {"serviceAccountId": "x"})
    mandatory = engine.run(scene, shown=False).said(EnforcementLevel.MANDATORY)
    assert any("[headroom-kept]" in text for text in mandatory)
    assert sum("[no-keys] k" in text for text in mandatory) == 1


def test_each_finding_is_reported_once_at_its_level(engine: Engine) -> None:
    scene = open_scene("dev")
    scene.set_quota("dev-queue-feed-training", "v5e", "google.com/tpu", "borrowingLimit", None)
    scene.set_quota("dev-queue-experiments", "l4", GPU, "nominalQuota", "3")
    scene.put("dev-queue-feed-serving", "spec", "resourceGroups", 0, "flavors", 0, "name", to="h100")
    engine.run(scene)
    mandatory = engine.said(EnforcementLevel.MANDATORY)
    assert sum("[borrowing-is-limited]" in text for text in mandatory) == 1
    assert sum("[headroom-kept] dev-queue-experiments: keeps 3" in text for text in mandatory) == 1
    assert len(mandatory) == len(set(mandatory))
    assert all("[" in text and ";" in text for text in mandatory)


def test_advice_is_given_and_does_not_refuse(engine: Engine) -> None:
    scene = open_scene("dev")
    scene.put("dev-queue-feed-training", "spec", "resourceGroups", 0, "flavors", 0, "name", to="cpu")
    advice = engine.run(scene).said(EnforcementLevel.ADVISORY)
    assert any("[serving-not-above-training] dev-queue-feed-serving" in text for text in advice)


def test_an_unknown_value_neither_ends_nor_lowers_a_mandatory_rule(engine: Engine) -> None:
    """Q2, Q5: Pulumi would call the rule advice and let the change pass."""
    scene = open_scene("dev")
    scene.set_quota("dev-queue-experiments", "l4", GPU, "nominalQuota", UNKNOWN)
    scene.set_quota("dev-queue-experiments", "v5e", "google.com/tpu", "nominalQuota", "8")
    scene.put("dev-cluster", "network", to=UNKNOWN)
    mandatory = engine.run(scene).said(EnforcementLevel.MANDATORY)
    assert any("its nvidia.com/gpu of l4 is not known" in text for text in mandatory)
    assert any("keeps 8 google.com/tpu of v5e" in text for text in mandatory)


@pytest.mark.parametrize(
    "text", ["headroom: {share: 7}", "exemptions: [", "levels: {no-such-rule: mandatory}"]
)
def test_broken_settings_refuse_every_change(tmp_path: Path, text: str) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "settings.yaml").write_text(text)
    scene = open_scene("dev").add("pulumi:pulumi:Stack", "headroom-dev", {})
    engine = Engine(tmp_path).run(scene)
    assert len(engine.reports) == 2
    assert all(level is EnforcementLevel.MANDATORY for level, _ in engine.reports)
    assert all("policies/settings.yaml: " in message for _, message in engine.reports)


def test_what_the_same_update_creates_is_known_by_where_it_comes_from(engine: Engine) -> None:
    """Only policies of stacks are told, so that no rule of resources may judge what is unknown."""
    scene = open_scene("dev").put("dev-pool-l4", "nodeConfig", "bootDiskKmsKey", to=UNKNOWN)
    engine.come_from = {("dev-pool-l4", "nodeConfig"): "dev-disks"}
    assert engine.run(scene).reports == []
    engine.come_from = {("dev-pool-l4", "nodeConfig"): "dev-network-id"}
    assert ["[disks-are-encrypted]" in text for text in engine.run(scene).said(EnforcementLevel.MANDATORY)]


def test_a_record_that_cannot_be_read_refuses_the_change(tmp_path: Path) -> None:
    for name, text in (("policies/settings.yaml", ""), ("quotas/dev.promises.json", "{")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    mandatory = Engine(tmp_path).run(open_scene("dev")).said(EnforcementLevel.MANDATORY)
    assert mandatory == [
        "quotas/dev.promises.json: is not valid JSON; `headroom quota accept` writes the file anew"
    ]


def test_proxies_become_plain_data() -> None:
    given = {"a": [{"b": UNKNOWN_STRING_VALUE}, 1.0], "c": UNKNOWN_STRING_VALUE, "d": {}}
    args = ResourceValidationArgs(
        "t", unknown_checking_proxy(given), "urn:pulumi:dev::p::t::n", "n", OPTIONS, None
    )
    assert read_resource(args).properties == {"a": [{"b": Missing.UNKNOWN}, 1.0], "c": UNKNOWN, "d": {}}
