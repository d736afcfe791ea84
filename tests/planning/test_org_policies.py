"""Organization policies: what forbids, what does not, and what cannot be told."""

import pytest

from headroom.catalog.zones import regions
from headroom.planning.org_policies import Constraint, PolicyRule, constraints, judge_rules

ANCESTORS = ("projects/acme-ml-dev", "folders/1")
APIS = ("compute.googleapis.com", "container.googleapis.com")


def constraint(kind: str) -> Constraint:
    return next(item for item in constraints() if item.kind == kind)


def judge(kind: str, *rules: PolicyRule, region: str = "us-central1") -> str:
    return judge_rules(constraint(kind), rules, region, ANCESTORS, APIS)


def test_a_boolean_constraint_forbids_where_it_is_enforced() -> None:
    assert judge("boolean", PolicyRule(enforced=True)) == "forbidden"
    assert judge("boolean", PolicyRule(enforced=False)) == "allowed"
    assert judge("boolean") == "allowed"


@pytest.mark.parametrize("kind", ["locations", "services", "projects", "networks"])
def test_allow_all_allows_and_deny_all_forbids(kind: str) -> None:
    assert judge(kind, PolicyRule(allow_all=True)) == "allowed"
    assert judge(kind, PolicyRule(deny_all=True)) == "forbidden"
    assert judge(kind) == "allowed"


@pytest.mark.parametrize(
    ("listed", "verdict"),
    [
        ("us-central1", "allowed"),
        ("is:us-central1", "allowed"),
        ("in:us-central1-locations", "allowed"),
        ("in:us-locations", "allowed"),
        ("us-east1", "forbidden"),
        ("us", "forbidden"),
        ("in:us-east1-locations", "forbidden"),
        ("in:europe-locations", "forbidden"),
        ("in:northamerica-locations", "unknown"),
        ("in:low-carbon-locations", "unknown"),
    ],
)
def test_a_location_is_allowed_by_its_region_or_a_group_that_holds_it(listed: str, verdict: str) -> None:
    assert judge("locations", PolicyRule(allowed=(listed,))) == verdict


def test_a_group_of_the_european_union_is_not_all_of_europe() -> None:
    rule = PolicyRule(allowed=("in:eu-locations",))
    assert judge("locations", rule, region="europe-west2") == "unknown"


@pytest.mark.parametrize("region", regions())
def test_every_region_is_in_its_own_group(region: str) -> None:
    assert judge("locations", PolicyRule(allowed=(f"in:{region}-locations",)), region=region) == "allowed"
    assert judge("locations", PolicyRule(denied=(f"in:{region}-locations",)), region=region) == "forbidden"


def test_a_denied_value_outweighs_an_allowed_one() -> None:
    rule = PolicyRule(allowed=("us-central1",), denied=("in:us-locations",))
    assert judge("locations", rule) == "forbidden"


def test_a_denied_group_whose_members_are_not_known_is_unknown() -> None:
    assert judge("locations", PolicyRule(denied=("in:low-carbon-locations",))) == "unknown"
    assert judge("networks", PolicyRule(denied=("under:folders/2",))) == "unknown"


def test_every_service_must_be_allowed() -> None:
    assert judge("services", PolicyRule(allowed=APIS)) == "allowed"
    assert judge("services", PolicyRule(allowed=APIS[:1])) == "forbidden"
    assert judge("services", PolicyRule(denied=APIS[1:])) == "forbidden"
    assert judge("services", PolicyRule(denied=("bigquery.googleapis.com",))) == "allowed"


@pytest.mark.parametrize(
    ("listed", "verdict"),
    [
        ("under:projects/acme-ml-dev", "allowed"),
        ("projects/acme-ml-dev", "allowed"),
        ("under:folders/1", "allowed"),
        ("under:folders/2", "unknown"),
        ("under:organizations/9", "unknown"),
        ("under:projects/other", "forbidden"),
        ("projects/acme-ml-dev/regions/us-central1/subnetworks/x", "unknown"),
    ],
)
def test_a_project_is_allowed_by_its_name_or_by_what_holds_it(listed: str, verdict: str) -> None:
    assert judge("networks", PolicyRule(allowed=(listed,))) == verdict
