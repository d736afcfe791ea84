"""D1, D8: a delivery to several regions is held to what one region is, and goes to no other cluster."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.offline import Registered, record
from policies.offline import judge_offline
from policies.registry import RULES
from policies.settings import Settings
from tests.regions import FAR, LEAD, configs_of, plan_of

Edit = Callable[[dict[str, Registered]], object]
PRODUCTION: dict[str, Any] = {
    "headroom:environment": {"tier": "production"},
    "headroom:alerting": {
        "channels": {"mail": {"kind": "email", "address": "ml@acme.dev"}},
        "routes": {"page": ["mail"], "ticket": ["mail"]},
        "runbooks": "https://git.acme.dev/ml",
    },
}


@pytest.fixture(scope="module")
def configs() -> dict[str, dict[str, Any]]:
    found = configs_of()
    for config in found.values():
        window = {"days": ["sat", "sun"], "start": "03:00", "hours": 8}
        config["headroom:cluster"]["maintenance"] = window
        config.update(PRODUCTION)
    return found


@pytest.fixture(scope="module")
def folder(configs: dict[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the files of both stacks."""
    found = tmp_path_factory.mktemp("project")
    for stack, config in configs.items():
        (found / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": config}))
    return found


@pytest.fixture(scope="module")
def register(configs: dict[str, dict[str, Any]]) -> Callable[[str], list[Registered]]:
    def run(stack: str) -> list[Registered]:
        async def main() -> None:
            from infra.stack import build

            await build(plan_of(configs, stack)).registered()

        return record(stack, main)

    return run


OF_THE_WORLD = ("capacity-is-granted", "groups-are-known-to-the-cluster", "promises-are-kept")
"""What these stacks leave out, as any may that is not brought up yet."""


def judge(stack: str, registered: list[Registered], folder: Path) -> list[str]:
    verdicts = judge_offline(stack, registered, folder, Settings(production=(LEAD, FAR)), RULES)
    return [str(each) for each in verdicts if each.refuses and each.rule.name not in OF_THE_WORLD]


@pytest.mark.parametrize("stack", [LEAD, FAR])
def test_two_regions_break_no_rule(
    register: Callable[[str], list[Registered]], folder: Path, stack: str
) -> None:
    assert judge(stack, register(stack), folder) == []


def change(name: str, edit: Callable[[dict[str, Any]], object]) -> Edit:
    return lambda found: edit(found[name].inputs)


def far_phases(inputs: dict[str, Any]) -> list[dict[str, Any]]:
    return inputs["serialPipeline"]["stages"][2]["strategy"]["canary"]["customCanaryDeployment"][
        "phaseConfigs"
    ]


def check_of(inputs: dict[str, Any]) -> dict[str, Any]:
    return far_phases(inputs)[0]["analysis"]["googleCloud"]["alertPolicyChecks"][0]


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (
            change("Target test-ranker@far", lambda i: i["gke"].update(cluster=i["gke"]["cluster"] + "x")),
            "[targets-are-the-stacks-own] test-ranker@far: its gke.cluster is",
        ),
        (
            change(
                "DeliveryPipeline test-ranker", lambda i: i["serialPipeline"]["stages"][2].pop("strategy")
            ),
            "[canaries-come-first] test-ranker: its canary is not there",
        ),
        (
            change(
                "DeliveryPipeline test-ranker", lambda i: i["serialPipeline"]["stages"][1].pop("strategy")
            ),
            "[canaries-come-first] test-ranker: its canary is not there",
        ),
        (
            change("DeliveryPipeline test-ranker", lambda i: check_of(i)["labels"].update(environment=LEAD)),
            "[canaries-come-first] test-ranker: canary-errors does not judge canary-10",
        ),
        (
            change(
                "DeliveryPipeline test-ranker",
                lambda i: check_of(i).update(alertPolicies=["projects/acme-ml-test/alertPolicies/1"]),
            ),
            "[canaries-come-first] test-ranker: projects/acme-ml-test/alertPolicies/1 judges canary-10",
        ),
        (
            change("Automation test-ranker-after-production-far", lambda i: i.update(rules=i["rules"][:1])),
            "[rollbacks-are-automated] test-ranker-after-staging: nothing rolls test-ranker back",
        ),
        (
            change("Automation test-ranker-after-production-far", lambda i: i.update(rules=i["rules"][1:])),
            "[held-phases-wait-for-a-person] test-ranker: nothing lets a rollout go on from canary-10",
        ),
        (
            change("DeliveryPipeline test-ranker", lambda i: i["serialPipeline"]["stages"].pop(0)),
            "[canaries-come-first] test-ranker",
        ),
    ],
)
def test_a_region_that_is_not_delivered_to_as_it_should_be_is_found(
    register: Callable[[str], list[Registered]], folder: Path, edit: Edit, expected: str
) -> None:
    registered = register(LEAD)
    edit({f"{each.type.rpartition(':')[2]} {each.name}": each for each in registered})
    assert any(expected in each for each in judge(LEAD, registered, folder)), judge(LEAD, registered, folder)


def test_a_cluster_of_a_stack_that_does_not_follow_is_none_of_the_stacks(
    register: Callable[[str], list[Registered]], configs: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    """What a stack file does not name, no target delivers to."""
    config = configs[LEAD] | {
        "headroom:delivery": {k: v for k, v in configs[LEAD]["headroom:delivery"].items() if k != "regions"}
    }
    (tmp_path / f"Pulumi.{LEAD}.yaml").write_text(yaml.safe_dump({"config": config}))
    found = judge(LEAD, register(LEAD), tmp_path)
    assert any("[targets-are-the-stacks-own] test-ranker@far" in each for each in found)


def test_what_serves_in_a_region_without_a_lead_is_found(
    register: Callable[[str], list[Registered]], tmp_path: Path
) -> None:
    """D7: releases have to come from somewhere."""
    found = judge(FAR, register(FAR), tmp_path)
    assert any("[models-are-delivered] far-namespace-ranker" in each for each in found)
