"""Who the workflows are: whom the provider lets in, and that looking changes nothing."""

import re
from typing import Any

import pytest

from headroom.planning.ci import plan_ci
from headroom.planning.preflight import all_roles
from headroom.spec.bootstrap import parse_bootstrap
from headroom.spec.errors import StackFileError

CI: dict[str, Any] = {"repository": "acme/ml-platform", "repository_id": 123, "owner_id": 45}


def parse(**more: Any):
    config = {
        "gcp:project": "acme-ml-dev",
        "gcp:region": "us-central1",
        "headroom-bootstrap:ci": CI | more,
    }
    asked = parse_bootstrap(config, "Pulumi.dev.yaml").ci
    assert asked
    return asked


def lets_in(condition: str, **claims: str) -> bool:
    """Evaluate the part of CEL that the condition is made of."""
    text = condition.replace("&&", "and").replace("||", "or")
    text = re.sub(r"assertion\.(\w+)", lambda found: f"claims[{found[1]!r}]", text)
    return eval(text, {"claims": claims})


JOB = {
    "repository_id": "123",
    "repository_owner_id": "45",
    "environment": "dev",
    "ref": "refs/heads/main",
}


@pytest.mark.parametrize(
    ("claims", "admitted"),
    [
        ({}, True),
        ({"environment": "dev-preview", "ref": "refs/pull/7/merge"}, True),
        ({"ref": "refs/heads/feature"}, False),
        ({"ref": "refs/heads/main2"}, False),
        ({"environment": "prod"}, False),
        ({"environment": "other"}, False),
        ({"repository_id": "124"}, False),
        ({"repository_owner_id": "46"}, False),
    ],
)
def test_one_repository_is_let_in_and_deploys_from_one_branch(claims: dict[str, str], admitted: bool) -> None:
    """Job 2: bound to repository and environment by numbers, which nobody else can register."""
    assert lets_in(plan_ci(parse(), "dev").condition, **(JOB | claims)) is admitted


def test_each_account_belongs_to_one_environment() -> None:
    plan = plan_ci(parse(), "dev")
    members = [
        plan.principals("projects/9/locations/global/workloadIdentityPools/p", a) for a in plan.accounts
    ]
    start = "principalSet://iam.googleapis.com/projects/9/locations/global/workloadIdentityPools/p"
    assert members == [f"{start}/attribute.place/123/dev-preview", f"{start}/attribute.place/123/dev"]
    assert dict(plan.mapping)["attribute.place"] == "assertion.repository_id + '/' + assertion.environment"
    assert all(len(account.name) <= 30 for account in plan_ci(parse(), "e" * 20).accounts)


def test_what_looks_can_change_nothing_and_read_no_secret() -> None:
    """A pull request's code runs as this account."""
    look, deploy = plan_ci(parse(roles=["roles/cloudquotas.admin"]), "dev").accounts
    verbs = {permission.rpartition(".")[2] for permission in look.permissions}
    assert verbs <= {"get", "getIamPolicy", "list", "connect"}
    assert set(look.roles) == {
        "roles/cloudquotas.viewer",
        "roles/container.clusterViewer",
        "roles/container.viewer",
        "roles/monitoring.viewer",
        "roles/serviceusage.serviceUsageConsumer",
    }
    assert (look.state_role, look.key_role) == (
        "roles/storage.objectViewer",
        "roles/cloudkms.cryptoKeyDecrypter",
    )
    assert "logging.buckets.get" in look.permissions
    assert deploy.permissions == ()
    assert {role.role for role, when in all_roles() if not when} < set(deploy.roles)
    assert "roles/cloudquotas.admin" in deploy.roles
    assert "roles/pubsub.admin" not in deploy.roles


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("repository", "acme", "repository: must look like acme/ml-platform"),
        ("repository_id", "123", "repository_id"),
        ("owner_id", 0, "owner_id"),
        ("branch", "main' || true || '", "branch: must look like main"),
        ("pool", "gcp-mine", "pool: begins with gcp-"),
        ("roles", ["roles/owner"], "roles[0]: must look like roles/cloudquotas.admin"),
        ("roles", ["roles/editor"], "roles[0]"),
        ("repo", "x", "repo: is no key of this section; choose one of branch, owner_id"),
    ],
)
def test_mistakes_are_named_and_nothing_is_injected(key: str, value: Any, said: str) -> None:
    with pytest.raises(StackFileError) as refused:
        parse(**{key: value})
    assert f"headroom-bootstrap:ci.{said}" in str(refused.value)
