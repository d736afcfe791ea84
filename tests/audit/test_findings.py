"""Q8: each finding has a world that shows it, and it alone, and one that does not: the healthy one."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from headroom.audit.snapshot import CohortNow, Held, NodePoolNow, Unmanaged, Unread
from headroom.planning.grants import Preference
from tests.audit.worlds import CONFIG, NOW, World, flat, make_world, rising, series

L4 = "NVIDIA-L4-GPUS-per-project-region"
ALL = "GPUS-ALL-REGIONS-per-project"
TPU = "TPU-LITE-PODSLICE-V5-per-project-region"

Change = Callable[[World], World]


@pytest.fixture(scope="module")
def healthy() -> World:
    return make_world()


def ask(asked: int, given: int | None, *, reconciling: bool = False) -> Change:
    def change(world: World) -> World:
        line = next(each for each in world.value("grants").grants if each.quota_id == L4)
        asking = Preference(
            "test-quota-l4", line.service, L4, line.region, (), asked, given, reconciling=reconciling
        )
        grants = replace(world.value("grants"), preferences=(asking,))
        return world.but(grants=grants, committed=grants)

    return change


def pulled(days: float) -> Change:
    def change(world: World) -> World:
        grants = replace(world.value("grants"), pulled=NOW - timedelta(days=days))
        return world.but(grants=grants, committed=grants)

    return change


def cloud_says(value: int) -> Change:
    def change(world: World) -> World:
        return world.grant(TPU, value).but(committed=world.snapshot.committed)

    return change


def limit(queue: str, pool: str, resource: str, **parts: int | None) -> Change:
    """A queue whose quota somebody changed in the cluster."""

    def edit(held: Any) -> Any:
        limits = tuple(
            replace(each, **parts) if (each.pool, each.resource) == (pool, resource) else each
            for each in held.limits
        )
        return replace(held, limits=limits)

    return lambda world: world.queue(queue, edit)


def held_by(queue: str, pool: str, resource: str, amount: int) -> Change:
    def edit(held: Any) -> Any:
        rest = tuple(each for each in held.reserved if (each.pool, each.resource) != (pool, resource))
        return replace(held, reserved=(*rest, Held(pool, resource, amount, 0)))  # ty: ignore[invalid-argument-type]

    return lambda world: world.queue(queue, edit)


def queues(**parts: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> Change:
    def change(world: World) -> World:
        held = world.value("queues")
        return world.but(
            queues=replace(held, **{name: edit(getattr(held, name)) for name, edit in parts.items()})
        )

    return change


def without(name: str) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    return lambda items: tuple(each for each in items if each.name != name)


def astray(items: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*items, replace(items[0], namespace="seek", name="mine", queue="rank"))


def deployed(**parts: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> Change:
    def change(world: World) -> World:
        held = world.value("deployed")
        changed = {name: edit(getattr(held, name)) for name, edit in parts.items()}
        return world.but(deployed=replace(held, **changed))

    return change


def node_pools(edit: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> Change:
    return lambda world: world.but(node_pools=edit(world.value("node_pools")))


def smaller(by: int) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """The node pool of l4 with fewer nodes."""
    return lambda items: tuple(
        replace(each, max_nodes=each.max_nodes - by) if each.pool == "l4" else each for each in items
    )


def waiting(queue: str, jobs: int) -> Change:
    return lambda world: world.queue(queue, lambda each: replace(each, pending=jobs))


def several(*changes: Change) -> Change:
    def change(world: World) -> World:
        for each in changes:
            world = each(world)
        return world

    return change


def uses(queue: str, pool: str, resource: str, amount: float) -> Change:
    return lambda world: world.used(queue, pool, resource, flat(amount))


CASES: dict[str, tuple[Change, set[str]]] = {
    "guarantees above the grant": (
        lambda world: world.grant(TPU, 16).quota_used(TPU, flat(3)),
        {"promised-over-granted", "pool-cannot-scale"},
    ),
    "pools' maxima above the grant": (
        lambda world: world.grant(TPU, 32),
        {"drawn-over-granted"},
    ),
    "a limit on all GPUs together": (
        lambda world: world.grant(ALL, 0),
        {"all-regions-gpu-limit", "pool-cannot-scale"},
    ),
    "a grant that no pool can use": (lambda world: world.grant(L4, 400), {"granted-over-provisionable"}),
    "more machines than all pools have": (
        lambda world: world.grant("INSTANCES-per-project-region", 10**6),
        set(),
    ),
    "a quota that nobody knows": (lambda world: world.grant(L4, None), {"grant-unknown"}),
    "a request not answered": (ask(40, None, reconciling=True), {"request-pending"}),
    "a request answered by half": (ask(40, 20), {"request-partly-granted"}),
    "a request without an answer": (ask(40, None), {"request-unknown"}),
    "use above the grant": (lambda world: world.quota_used(L4, flat(21)), {"used-over-granted"}),
    "all in use once": (
        lambda world: world.quota_used(L4, replace(flat(5), values=(5.0,) * 50 + (20.0,) + (5.0,) * 61)),
        {"quota-exhausted"},
    ),
    "nearly all in use once": (
        lambda world: world.quota_used(L4, replace(flat(5), values=(5.0,) * 50 + (16.0,) + (5.0,) * 61)),
        {"quota-near-limit"},
    ),
    "a rise that ends in two days": (
        lambda world: world.quota_used(L4, rising(2, 18)),
        {"quota-near-limit", "quota-runs-out"},
    ),
    "grants of last year": (pulled(100), {"grants-stale"}),
    "grants of tomorrow": (pulled(-1), {"grants-stale"}),
    "a file that the cloud contradicts": (cloud_says(40), {"drawn-over-granted", "grants-file-differs"}),
    "a guarantee changed in the cluster": (limit("rank", "l4", "gpus", nominal=20), {"queue-changed"}),
    "a cap taken away": (limit("rank", "l4", "gpus", borrowing=None), {"queue-changed", "queue-boundless"}),
    "another cohort": (
        lambda world: world.queue("rank", lambda each: replace(each, cohort="elsewhere")),
        {"queue-changed", "cohort-implicit"},
    ),
    "a stopped queue": (
        lambda world: world.queue("rank", lambda each: replace(each, stop_policy="Hold")),
        {"queue-changed"},
    ),
    "a queue removed": (queues(queues=without("rank")), {"queue-missing"}),
    "a queue of somebody's own": (
        queues(queues=lambda items: (*items, replace(items[1], name="mine"))),
        {"queue-unplanned"},
    ),
    "a cohort removed": (queues(cohorts=without("pipelines")), {"cohort-missing", "cohort-implicit"}),
    "a cohort of somebody's own": (
        queues(cohorts=lambda items: (*items, CohortNow("mine", "", ()))),
        {"cohort-unplanned"},
    ),
    "a cohort that may borrow": (
        queues(
            cohorts=lambda items: tuple(
                replace(each, limits=tuple(replace(limit, borrowing=4) for limit in each.limits)) for each in items
            )
        ),
        {"cohort-changed"},
    ),
    "a queue that admits nothing": (
        lambda world: world.queue("rank", lambda each: replace(each, idle_reason="FlavorNotFound")),
        {"queue-inactive"},
    ),
    "no way in": (queues(local_queues=without("rank")), {"local-queue-missing"}),
    "a way into another's quota": (queues(local_queues=astray), {"local-queue-astray"}),
    "a way in that is held": (
        queues(local_queues=lambda items: (replace(items[0], stop_policy="Hold"), *items[1:])),
        {"local-queue-stopped"},
    ),
    "pods without a queue": (
        lambda world: world.but(unmanaged=(Unmanaged("seek", "l4", 3, (("gpus", 6),)),)),
        {"unmanaged-pods"},
    ),
    "above the cap": (held_by("rank", "l4", "gpus", 13), {"over-cap"}),
    "at the cap": (uses("rank", "l4", "gpus", 12), {"at-cap"}),
    "a rise to the cap": (
        lambda world: world.used("rank", "l4", "gpus", rising(2, 11)),
        {"cap-runs-out"},
    ),
    "a guarantee that nobody uses": (uses("rank", "l4", "gpus", 0), {"guarantee-idle"}),
    "headroom used up": (uses("experiments", "l4", "gpus", 4), {"headroom-eaten"}),
    "headroom that nobody uses": (uses("experiments", "l4", "gpus", 0), {"headroom-idle"}),
    "pipelines in the headroom": (
        several(held_by("rank", "l4", "gpus", 10), held_by("seek", "l4", "gpus", 8)),
        {"headroom-invaded", "at-cap"},
    ),
    "a pool that fills up": (
        lambda world: world.used("experiments", "l4", "gpus", rising(0, 3)).used("rank", "l4", "gpus", rising(2, 11)).used("seek", "l4", "gpus", rising(1, 5)),
        {"pool-runs-out", "cap-runs-out"},
    ),
    "a pipeline that is not heard of": (
        lambda world: world.but(queue_use=tuple(each for each in world.value("queue_use") if each.queue != "rank")),
        {"use-unknown"},
    ),
    "a stack file that was not brought up": (
        several(deployed(queues=without("rank")), queues(queues=without("rank"))),
        {"queues-behind"},
    ),
    "cohorts that were not brought up": (
        several(deployed(cohorts=without("pool")), queues(cohorts=without("pool"))),
        {"cohorts-behind", "cohort-implicit"},
    ),
    "pools that were not brought up": (deployed(node_pools=smaller(1)), {"node-pools-behind"}),
    "a node pool removed": (
        node_pools(lambda items: tuple(each for each in items if each.pool != "cpu")),
        {"node-pool-missing", "pool-cannot-scale"},
    ),
    "a node pool of somebody's own": (
        node_pools(lambda items: (*items, NodePoolNow("mine", "", "n2-standard-4", 3))),
        {"node-pool-unplanned"},
    ),
    "a node pool with one node less": (node_pools(smaller(1)), {"node-pool-changed"}),
    "a node pool too small for its promises": (
        node_pools(smaller(2)),
        {"node-pool-changed", "pool-cannot-scale"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_finding_is_made_in_its_world_and_no_other(healthy: World, name: str) -> None:
    """Q8, Q3."""
    change, expected = CASES[name]
    assert change(healthy).codes() == expected


def test_where_all_agree_and_nobody_is_short_nothing_is_found(healthy: World) -> None:
    assert healthy.audit().findings == ()
    assert healthy.audit().exit_code() == 0


def test_every_finding_has_a_world_that_shows_it(root: Path) -> None:
    """The codes of the source are those of the cases, so that a finding without a world fails here."""
    shown = set().union(*(expected for _, expected in CASES.values()))
    text = "\n".join(path.read_text() for path in (root / "headroom" / "audit").glob("*_findings.py"))
    codes = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', text)) - {"node-pool"}
    templates = {
        f"{kind}-{what}" for kind in ("queue", "cohort") for what in ("missing", "unplanned", "changed")
    }
    templates |= {f"{kind}s-behind" for kind in ("queue", "cohort", "node-pool")}
    assert codes | templates == shown


@pytest.mark.parametrize("name", CASES)
def test_every_finding_says_whose_it_is_and_what_to_do(healthy: World, name: str) -> None:
    for finding in CASES[name][0](healthy).audit().findings:
        assert finding.owner
        assert finding.fix
        assert finding.subject
        assert "None" not in finding.message.replace("stopPolicy is Hold rather than None", "")


def test_a_finding_of_a_pipeline_is_its_owners(healthy: World) -> None:
    (found,) = CASES["at the cap"][0](healthy).audit().findings
    assert (found.owner, found.subject) == ("user:ada@acme.example", "rank/l4/gpus")


def test_at_the_cap_counts_for_more_while_jobs_wait(healthy: World) -> None:
    change = uses("rank", "l4", "gpus", 12)
    (found,) = change(healthy).audit().findings
    assert found.severity == "info"
    (found,) = several(change, waiting("rank", 7))(healthy).audit().findings
    assert found.severity == "warning"
    assert "7 of its jobs wait" in found.message


def test_an_idle_guarantee_names_who_could_have_had_it(healthy: World) -> None:
    world = several(uses("rank", "l4", "gpus", 0), waiting("seek", 2))(healthy)
    (found,) = world.audit().findings
    assert (found.severity, found.code) == ("warning", "guarantee-idle")
    assert "seek could have had it" in found.message


def test_of_a_day_of_use_nobody_is_said_to_be_idle(healthy: World) -> None:
    assert healthy.used("rank", "l4", "gpus", series([0.0] * 8)).codes() == set()
    assert healthy.used("rank", "l4", "gpus", series([0.0] * 32)).codes() == {"guarantee-idle"}


def test_what_was_changed_in_the_cluster_is_told_from_what_was_not_brought_up(healthy: World) -> None:
    """With the stack's state it is known who changed a queue; without it only that it differs."""
    changed = limit("rank", "l4", "gpus", nominal=20)(healthy)
    (found,) = changed.audit().findings
    assert "nominal of l4/gpus is 20 gpus rather than 8 gpus" in found.message
    assert found.message.endswith("; it was changed behind Pulumi's back")
    (found,) = changed.but(deployed=Unread("was not asked", asked=False)).audit().findings
    assert "is not as in the plan" in found.message
    assert "behind" not in found.message


def test_thresholds_are_those_of_the_stack_file() -> None:
    world = make_world(audit={"near_limit": 0.5, "at_cap": 0.3})
    assert {"quota-near-limit", "at-cap"} <= world.codes()


@pytest.mark.parametrize("value", [-1, 2**63 - 1])
def test_unlimited_is_neither_short_nor_idle(healthy: World, value: int) -> None:
    """A limit of 9.2e18 is read as -1 (tests/live/test_quotas.py); here even the raw number harms nothing."""
    world = healthy.grant(L4, value).quota_used(L4, flat(1e6))
    assert world.codes() <= {"granted-over-provisionable"}
    if value == -1:
        assert world.codes() == set()


@pytest.mark.parametrize(
    "part", ["grants", "queue_use", "quota_use", "queues", "unmanaged", "nodes", "node_pools", "deployed"]
)
def test_a_source_that_cannot_be_read_is_unknown_and_ends_with_3(healthy: World, part: str) -> None:
    """Never zero, and never fine: no finding of the source, the source named, exit 3."""
    audit = healthy.but(**{part: Unread("there was no answer")}).audit()
    assert audit.exit_code() == 3
    assert [(each.state, each.detail) for each in audit.unreachable] == [
        ("unreachable", "there was no answer")
    ]
    expected = {"grant-unknown"} if part == "grants" else set()
    assert {finding.code for finding in audit.findings} == expected


def test_a_source_that_nobody_asked_is_no_fault(healthy: World) -> None:
    audit = healthy.but(queues=Unread("was not asked", asked=False)).audit()
    assert audit.exit_code() == 0
    assert [each.name for each in audit.sources if each.state == "not asked"] == ["queues"]


def test_the_exit_code_keeps_to_the_severity_that_is_asked_for(healthy: World) -> None:
    idle = uses("rank", "l4", "gpus", 0)(healthy).audit()
    assert [idle.exit_code("info"), idle.exit_code("warning"), idle.exit_code("error")] == [1, 0, 0]


def test_the_document_has_every_finding_and_its_severities(healthy: World, root: Path) -> None:
    shown: dict[str, set[str]] = {}
    for change, _ in CASES.values():
        for finding in change(healthy).audit().findings:
            shown.setdefault(finding.code, set()).add(finding.severity)
    rows = re.findall(
        r"^\| (`[^|]+`) \| ([a-z, ]+) \|", (root / "docs" / "audit.md").read_text(), re.MULTILINE
    )
    written = {
        code: set(said.split(", ")) for codes, said in rows for code in re.findall(r"`([a-z-]+)`", codes)
    }
    assert written.keys() == shown.keys()
    assert {code for code, said in shown.items() if not said <= written[code]} == set()


def test_a_queue_that_is_held_on_purpose_is_no_finding() -> None:
    held = {name: each | {"admission": "held"} for name, each in CONFIG["headroom:pipelines"].items()}
    world = make_world(pipelines=held)
    assert world.queue("rank", lambda each: replace(each, idle_reason="is stopped")).codes() == set()
