"""D4, D8: production in several regions, each a stack; impossible ones are refused with key and remedy."""

from collections.abc import Callable
from typing import Any

import pytest

from headroom.planning.regions import find_unled
from headroom.spec.errors import StackFileError
from headroom.spec.stack_file import parse_config
from tests.components.deliveries import COMMON
from tests.regions import FAR, LEAD, configs_of, neighbours_of, plan_of

Configs = dict[str, dict[str, Any]]
Edit = Callable[[Configs], object]


def problems_of(configs: Configs, stack: str) -> list[str]:
    with pytest.raises(StackFileError) as caught:
        plan_of(configs, stack)
    return [f"{problem.path}: {problem.message}" for problem in caught.value.problems]


def test_a_release_goes_from_staging_through_the_first_region_to_the_next() -> None:
    """D4: the places in order, each with the cluster of its own stack."""
    delivery = plan_of(configs_of(), LEAD).delivery
    assert delivery is not None
    (rollout,) = delivery.rollouts
    assert [(each.name, each.key, each.site.cluster) for each in rollout.targets] == [
        (
            "test-ranker-staging",
            "staging",
            "projects/acme-ml-test/locations/us-central1/clusters/test-cluster",
        ),
        ("test-ranker", "production", "projects/acme-ml-test/locations/us-central1/clusters/test-cluster"),
        ("far-ranker", "production-far", "projects/acme-ml-far/locations/us-east1/clusters/far-cluster"),
    ]
    near, far = rollout.regions
    assert [phase.id for phase in near.phases] == ["canary-5", "canary-50"]
    assert [phase.id for phase in far.phases] == ["canary-10"]
    assert (near.wait_seconds, far.wait_seconds) == (0, 3600)


def test_both_stacks_plan_the_further_region_alike() -> None:
    """D3: one truth, whichever stack is asked."""
    configs = configs_of()
    near, far = plan_of(configs, LEAD).delivery, plan_of(configs, FAR).delivery
    assert near is not None
    assert far is not None
    assert far.rollouts == near.rollouts[0].further
    assert far.freezes == near.freezes
    assert {each.email for each in far.accounts} <= {each.email for each in near.accounts}


def test_staging_registry_and_roles_are_the_leads() -> None:
    """Q1, D4: a region counts no staging, and keeps no second registry."""
    plan = plan_of(configs_of(), FAR)
    assert plan.delivery is not None
    assert [each.name for each in plan.pipelines] == ["ranker"]
    assert plan.delivery.images.repository is None
    copies = "us-central1-docker.pkg.dev/acme-ml-test/test-validated/"
    assert dict(plan.delivery.images.served)["production"] == (copies,)
    assert f"{copies}**" in plan.delivery.images.admitted
    assert plan.delivery.images.validators == ()
    assert [role.role_id for role in plan.delivery.roles] == ["far_model_runner"]


def test_every_region_asks_who_approved_for_the_first_or_whom_its_stack_names() -> None:
    """D1: no release is put into a region past the approval for production."""
    silent = plan_of(configs_of(), LEAD).delivery
    assert silent is not None
    assert [target.approval for target in silent.rollouts[0].targets] == [False, True, True]
    assert silent.rollouts[0].further[0].approvals.begin == silent.rollouts[0].approvals.begin
    own = {"approvals": {"begin": ["group:far@acme.dev"]}}
    asked = plan_of(configs_of(far=own), LEAD).delivery
    assert asked is not None
    (rollout,) = asked.rollouts
    assert [target.approval for target in rollout.targets] == [False, True, True]
    assert rollout.further[0].approvals.begin == ("group:far@acme.dev",)
    assert rollout.further[0].approvals.increase == rollout.approvals.increase


def test_no_releaser_approves_in_a_region() -> None:
    """D1."""
    own = {"approvals": {"begin": ["group:releasers@acme.dev"]}}
    (problem,) = problems_of(configs_of(far=own), FAR)
    assert problem.startswith("headroom:pipelines.ranker.delivery.approvals.begin: names somebody who may")


@pytest.mark.parametrize(
    ("stack", "edit", "expected"),
    [
        (LEAD, lambda c: c.pop(FAR), "regions[0]: names no stack: there is no Pulumi.far.yaml"),
        (
            LEAD,
            lambda c: c[FAR].update({"headroom:delivery": {}}),
            "regions[0]: names far, which does not follow this stack; write follows: test",
        ),
        (
            LEAD,
            lambda c: c[FAR].update({"gcp:project": "acme-ml-test"}),
            "regions[0]: names far, in the project acme-ml-test of test",
        ),
        (
            LEAD,
            lambda c: c[FAR].update(
                {
                    "headroom:environment": {"tier": "production"},
                }
            ),
            "regions[0]: names far, whose tier is production",
        ),
        (
            LEAD,
            lambda c: c[LEAD]["headroom:delivery"].update(regions=["test"]),
            "regions[0]: is this stack itself; remove it",
        ),
        (
            LEAD,
            lambda c: c[LEAD]["headroom:delivery"].update(regions=["far", "far"]),
            "regions[1]: is named twice; remove it",
        ),
        (
            LEAD,
            lambda c: c[LEAD]["headroom:delivery"].update(wait_minutes=5),
            "wait_minutes: is for a stack that follows another; remove it",
        ),
        (
            LEAD,
            lambda c: c[FAR]["headroom:pipelines"]["ranker"].update(
                limits={"none": {"cpu": {"guarantee": 1, "cap": 2}}}
            ),
            "regions[0]: names far, with which something is wrong; see: headroom plan -s far",
        ),
        (
            FAR,
            lambda c: c[FAR].update({"gcp:project": "acme-ml-test"}),
            "follows: names test, in the project acme-ml-test of far",
        ),
        (
            FAR,
            lambda c: c[LEAD].update({"headroom:environment": {"tier": "production"}}),
            "follows: names test, whose tier is production",
        ),
        (
            FAR,
            lambda c: c[FAR]["headroom:delivery"].update(follows=FAR),
            "follows: is this stack itself; remove it",
        ),
        (FAR, lambda c: c.pop(LEAD), "follows: names no stack: there is no Pulumi.test.yaml"),
        (
            FAR,
            lambda c: c[FAR]["headroom:delivery"].update(regions=["more"]),
            "regions: is for the stack that leads, which is test; name them there",
        ),
        (
            FAR,
            lambda c: c[LEAD]["headroom:delivery"].update(follows="more"),
            "follows: names test, which follows a stack itself",
        ),
        *(
            (
                FAR,
                lambda c, key=key: c[FAR]["headroom:delivery"].update({key: COMMON[key]}),
                f"{key}: is said by",
            )
            for key in ("builders", "freezes", "validation_image")
        ),
        (
            FAR,
            lambda c: c[FAR]["headroom:delivery"].update(approvals={"release": ["user:ada@acme.dev"]}),
            "approvals.release: is said by test, which releases come from; remove it",
        ),
    ],
)
def test_what_stacks_say_of_each_other_has_to_agree(stack: str, edit: Edit, expected: str) -> None:
    configs = configs_of()
    edit(configs)
    assert any(each.startswith(f"headroom:delivery.{expected}") for each in problems_of(configs, stack))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"delivery": {"staging": {"replicas": 2}}}, "delivery.staging: is said by test"),
        ({"delivery": {"validation": {"minutes": 10}}}, "delivery.validation: is said by test"),
        (
            {"delivery": {"approvals": {"increase": ["user:ada@acme.dev"]}}},
            "delivery.approvals.increase: is said by test",
        ),
        ({"model": "other"}, "model: is other, and test releases m to it"),
    ],
)
def test_a_regions_pipeline_says_only_what_is_its_own(change: dict[str, Any], expected: str) -> None:
    configs = configs_of()
    configs[FAR]["headroom:pipelines"]["ranker"] |= change
    assert any(f"headroom:pipelines.ranker.{expected}" in each for each in problems_of(configs, FAR))


def test_a_pipeline_that_the_lead_does_not_deliver_is_refused() -> None:
    configs = configs_of()
    pipelines = configs[FAR]["headroom:pipelines"]
    pipelines["rankers"] = pipelines.pop("ranker")
    (problem,) = problems_of(configs, FAR)
    assert problem == (
        "headroom:pipelines.rankers.delivery: is of no pipeline that test delivers; did you mean ranker?"
    )


def test_the_names_of_targets_are_told_apart() -> None:
    """D4: `test` and `far-x`, and `test-far` and `x`, would be one target."""
    configs = configs_of()
    configs["test-far"] = configs.pop(FAR)
    configs[LEAD]["headroom:delivery"]["regions"] = ["test-far"]
    (pipeline,) = configs[LEAD]["headroom:pipelines"].values()
    configs[LEAD]["headroom:pipelines"] = {"ranker": pipeline, "far-ranker": pipeline}
    problems = problems_of(configs, LEAD)
    assert any(
        each.startswith("headroom:delivery.regions[0]: would make a second target test-far-ranker")
        for each in problems
    )


def test_a_region_is_brought_up_before_it_is_released_to() -> None:
    """The note says what is next; it is no problem."""
    configs = configs_of()
    del configs[LEAD]["headroom:delivery"]["regions"]
    far = parse_config(configs[FAR], "f")
    (note,) = find_unled(far, FAR, neighbours_of({LEAD: configs[LEAD]}))
    assert note.path == "headroom:delivery.follows"
    assert "add far to headroom:delivery.regions of Pulumi.test.yaml" in note.message
    assert str(note) in map(str, plan_of(configs, FAR).notes)
    assert find_unled(parse_config(configs[LEAD], "f"), LEAD, neighbours_of(configs)) == []


def test_a_region_with_nothing_to_approve_has_no_job_for_that() -> None:
    configs = configs_of()
    image = "us-docker.pkg.dev/acme-tools/ml/headroom@sha256:" + "b2" * 32
    configs[FAR]["headroom:operations"] = {"image": image, "rollbacks": {}}
    assert any(
        each.startswith("headroom:operations.rollbacks: has nothing to approve: test has")
        for each in problems_of(configs, FAR)
    )


def test_the_jobs_in_a_cluster_read_the_stacks_that_theirs_names() -> None:
    """They plan the same as everybody."""
    configs = configs_of()
    image = "us-docker.pkg.dev/acme-tools/ml/headroom@sha256:" + "b2" * 32
    configs[LEAD]["headroom:operations"] = {"image": image, "rollbacks": {}}
    operations = plan_of(configs, LEAD).operations
    assert operations is not None
    assert {"Pulumi.test.yaml", "Pulumi.far.yaml"} <= {path for path, _ in operations.files}


def test_a_region_that_gets_no_releases_of_a_pipeline_is_told() -> None:
    configs = configs_of()
    del configs[FAR]["headroom:pipelines"]["ranker"]["delivery"]
    notes = [str(note) for note in plan_of(configs, LEAD).notes]
    assert "headroom:delivery.regions: far gets no releases of ranker: no delivery is there" in notes
    assert not any("gets no releases" in str(note) for note in plan_of(configs_of(), LEAD).notes)


def test_who_approves_in_a_region_increases_there_where_the_lead_names_nobody() -> None:
    """D2: as in a stack by itself."""
    hold = {"phases": [{"percent": 10, "minutes": 40, "hold": True}]}
    lead = COMMON | {"approvals": {}}
    silent = configs_of(lead, **hold)
    silent[LEAD]["headroom:pipelines"]["ranker"]["delivery"]["phases"] = [{"percent": 10, "minutes": 40}]
    (problem,) = problems_of(silent, FAR)
    assert "name who may in Pulumi.test.yaml" in problem
    asked = configs_of(lead, far={"approvals": {"begin": ["group:far@acme.dev"]}}, **hold)
    asked[LEAD]["headroom:pipelines"]["ranker"]["delivery"]["phases"] = [{"percent": 10, "minutes": 40}]
    delivery = plan_of(asked, LEAD).delivery
    assert delivery is not None
    assert delivery.rollouts[0].further[0].approvals.increase == ("group:far@acme.dev",)
