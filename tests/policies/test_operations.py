"""What the platform runs for itself breaks no rule, and would where it ran more than was agreed to."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from headroom.catalog.facts import load_facts
from headroom.planning.operations import NAMESPACE
from headroom.planning.plan import plan_config
from headroom.spec.stack_file import load_config
from infra.offline import Registered, record
from policies.known_types import load_facts as load_known_types
from policies.offline import judge_offline
from policies.registry import RULES
from policies.resources import UNKNOWN
from policies.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "us-central1-docker.pkg.dev/acme-ml/tools/headroom@sha256:" + "a1" * 32


@cache
def registered(stack: str) -> tuple[Registered, ...]:
    config = load_config(ROOT / f"Pulumi.{stack}.yaml")
    plan = plan_config(
        config | {"headroom:operations": {"image": IMAGE, "audit": {}, "rollbacks": {}}}, stack, "f"
    )

    async def main() -> None:
        from infra.stack import build

        await build(plan).registered()

    return tuple(record(stack, main))


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_stack_that_audits_itself_breaks_no_rule(stack: str) -> None:
    """Q5, Q8, job 2."""
    assert [
        str(each.finding) for each in judge_offline(stack, registered(stack), ROOT, Settings(), RULES)
    ] == []


def spec(each: Registered) -> dict[str, Any]:
    return each.inputs["spec"]


def pod(each: Registered) -> dict[str, Any]:
    return spec(each)["jobTemplate"]["spec"]["template"]["spec"]


def put_environment(each: Registered, matcher: str) -> None:
    """Have an alert look at another environment than its own."""
    (condition,) = each.inputs["conditions"]
    query = condition["conditionPrometheusQueryLanguage"]
    own = f'environment="{each.inputs["userLabels"]["environment"]}"'
    assert query["query"].count(own) == 2
    query["query"] = query["query"].replace(own, f"environment{matcher}")


def container(each: Registered) -> dict[str, Any]:
    return pod(each)["containers"][0]


@pytest.mark.parametrize(
    ("kind", "name", "change", "rule"),
    [
        ("CronJob", "job-audit", lambda each: spec(each).update(concurrencyPolicy="Allow"), "work-is-in-queues"),
        ("CronJob", "job-audit", lambda each: spec(each).pop("concurrencyPolicy"), "work-is-in-queues"),
        ("CronJob", "job-audit", lambda each: spec(each)["jobTemplate"]["spec"].update(parallelism=8), "work-is-in-queues"),
        ("CronJob", "job-audit", lambda each: each.inputs["metadata"].update(name="other"), "work-is-in-queues"),
        ("CronJob", "job-audit", lambda each: each.inputs["metadata"].update(namespace="default"), "work-is-in-queues"),
        *(
            ("CronJob", "job-rollbacks", change, "work-is-in-queues")
            for change in (
                lambda each: container(each).update(image="example.com/headroom:latest"),
                lambda each: container(each).update(image=UNKNOWN),
                lambda each: container(each).update(args=["release", "approve", "--stack", "dev"]),
                lambda each: container(each).update(args=UNKNOWN),
                lambda each: container(each).update(command=["sh"]),
                lambda each: container(each)["resources"]["limits"].update({"nvidia.com/gpu": "8"}),
                lambda each: container(each)["resources"]["requests"].update(cpu="64"),
                lambda each: container(each).pop("resources"),
                lambda each: container(each)["securityContext"].update(privileged=True),
                lambda each: container(each)["securityContext"].update(allowPrivilegeEscalation=True),
                lambda each: container(each)["securityContext"]["capabilities"].update(add=["SYS_ADMIN"]),
                lambda each: pod(each)["containers"].append(dict(container(each), name="more")),
                lambda each: pod(each).update(containers=[]),
                lambda each: pod(each).update(containers=UNKNOWN),
                lambda each: pod(each).update(initContainers=[dict(container(each), name="first")]),
                lambda each: pod(each).update(serviceAccountName="audit"),
                lambda each: pod(each).update(serviceAccount="default"),
                lambda each: pod(each).update(hostNetwork=True),
                lambda each: pod(each).update(hostPID=True),
                lambda each: pod(each).update(resourceClaims=[{"name": "gpu"}]),
                lambda each: pod(each)["volumes"].append({"name": "node", "hostPath": {"path": "/"}}),
                lambda each: pod(each).update(volumes=UNKNOWN),
            )
        ),
        ("CronJob", "job-audit", lambda each: spec(each)["jobTemplate"]["spec"].update(template=UNKNOWN), "work-is-in-queues"),
        ("DeliveryPipelineIamMember", "feed-serving-approver-rollbacks", lambda each: each.inputs.update(member="group:all@acme.dev"), "approvers-are-planned"),
        ("TargetIamMember", "feed-serving-target-approver-rollbacks", lambda each: each.inputs.update(role="roles/clouddeploy.admin"), "approvers-are-planned"),
        ("AlertPolicy", "rollback-job-silent", lambda each: each.inputs["userLabels"].update(alert="another"), "pipelines-have-alerts"),
        ("AlertPolicy", "rollback-job-silent", lambda each: each.inputs.update(enabled=False), "pipelines-have-alerts"),
        ("AlertPolicy", "rollback-job-silent", lambda each: put_environment(each, '=~".+"'), "pipelines-have-alerts"),
        ("AlertPolicy", "rollback-job-silent", lambda each: put_environment(each, '="another"'), "pipelines-have-alerts"),
        ("ClusterRole", "role-audit", lambda each: each.inputs["rules"][1].update(verbs=["list", "update"]), "roles-name-what-they-allow"),
        ("Bucket", "reports", lambda each: each.inputs.update(publicAccessPrevention="inherited"), "buckets-are-private"),
        ("IAMMember", "audit-monitoring-viewer", lambda each: each.inputs.update(role="roles/monitoring.admin"), "no-admin-machines"),
    ],
)  # fmt: skip
def test_what_would_be_more_than_that_is_refused(
    kind: str, name: str, change: Callable[[Registered], Any], rule: str
) -> None:
    import copy

    graph = copy.deepcopy(registered("dev"))
    (found,) = (each for each in graph if each.name == f"dev-{name}" and each.type.endswith(f":{kind}"))
    change(found)
    verdicts = judge_offline("dev", graph, ROOT, Settings(), RULES)
    assert rule in {each.rule.name for each in verdicts if each.refuses}


def test_every_job_of_the_platform_is_agreed_to_by_name_and_nothing_that_is_not_there() -> None:
    agreed = {row["name"] for row in load_known_types()["own_work"] if row["namespace"] == NAMESPACE}
    assert agreed == {row["name"] for group in load_facts("operations") for row in group["jobs"]}
