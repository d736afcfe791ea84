"""The preflight against the imitation: all there, and each thing missing in turn."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headroom.live.connection import ENDPOINT_VARIABLE, EndpointError
from headroom.live.preflight import run_preflight
from headroom.planning.preflight import Check, Needs, exit_code
from sandbox.google.apis import admin
from sandbox.google.world import World
from tests.live.conftest import BUCKET, PROJECT, Google

STATE = f"gs://{BUCKET}/headroom"
NeedsOf = Callable[..., Needs]


def faults(checks: tuple[Check, ...]) -> list[Check]:
    return [check for check in checks if check.state != "ok"]


def only(needs: Needs, state: str | None = STATE) -> Check:
    """The one check that is not fine."""
    found = faults(run_preflight(needs, state))
    assert len(found) == 1, found
    return found[0]


def test_all_is_there_in_a_project_that_is_ready(google: Google, needs_of: NeedsOf) -> None:
    checks = run_preflight(needs_of(), STATE)
    assert faults(checks) == []
    assert exit_code(checks) == 0
    assert {check.area for check in checks} == {
        "credentials", "project", "APIs", "billing", "roles", "organization policies", "zones", "machines",
        "quotas", "state bucket",
    }  # fmt: skip


def test_a_project_that_is_not_there_ends_the_questions(google: Google, needs_of: NeedsOf) -> None:
    google.change(exists=False)
    checks = run_preflight(needs_of(), STATE)
    assert [(check.area, check.state) for check in checks] == [
        ("credentials", "ok"),
        ("project", "missing"),
        ("all else", "unknown"),
    ]
    assert checks[1].remedy == f"gcloud projects create {PROJECT} --folder=FOLDER_ID"


def test_a_project_that_is_being_deleted_is_missing(google: Google, needs_of: NeedsOf) -> None:
    google.change(active=False)
    assert only(needs_of()).remedy == f"gcloud projects undelete {PROJECT}"


def test_a_project_that_nobody_pays_for_is_missing_its_billing(google: Google, needs_of: NeedsOf) -> None:
    google.change(billed=False)
    check = only(needs_of())
    assert (check.area, check.state) == ("billing", "missing")
    assert check.remedy == f"gcloud billing projects link {PROJECT} --billing-account=ACCOUNT_ID"


@pytest.mark.parametrize(
    "api", ["container.googleapis.com", "cloudkms.googleapis.com", "binaryauthorization.googleapis.com"]
)
def test_an_api_that_only_the_program_uses_is_missing(google: Google, needs_of: NeedsOf, api: str) -> None:
    admin.disable_api(google.store, PROJECT, api)
    check = only(needs_of())
    assert (check.area, check.subject, check.state) == ("APIs", api, "missing")
    assert check.remedy == f"gcloud services enable {api} --project={PROJECT}"


@pytest.mark.parametrize(
    ("api", "area"),
    [
        ("cloudquotas.googleapis.com", "quotas"),
        ("cloudbilling.googleapis.com", "billing"),
        ("orgpolicy.googleapis.com", "organization policies"),
        ("compute.googleapis.com", "machines"),
    ],
)
def test_what_a_disabled_api_would_have_answered_is_unknown(
    google: Google, needs_of: NeedsOf, api: str, area: str
) -> None:
    admin.disable_api(google.store, PROJECT, api)
    checks = run_preflight(needs_of(), STATE)
    assert {check.subject for check in checks if check.state == "missing"} == {api}
    asked = [check for check in checks if check.area == area]
    assert asked
    assert all(check.state == "unknown" for check in asked)
    assert all(check.detail == f"the API {api} is not enabled" for check in asked)
    assert all(api in check.remedy for check in asked)
    assert exit_code(checks) == 1


def test_without_service_usage_that_api_itself_is_missing(
    google: Google, needs_of: NeedsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    disable_from_the_start(monkeypatch, "serviceusage.googleapis.com")
    check = only(needs_of())
    assert (check.area, check.subject, check.state) == ("APIs", "serviceusage.googleapis.com", "missing")


def test_without_resource_manager_all_else_is_still_asked(
    google: Google, needs_of: NeedsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    disable_from_the_start(monkeypatch, "cloudresourcemanager.googleapis.com")
    checks = run_preflight(needs_of(), STATE)
    assert [(check.area, check.state) for check in faults(checks)] == [
        ("project", "unknown"),
        ("APIs", "missing"),
        ("roles", "unknown"),
    ]


def disable_from_the_start(monkeypatch: pytest.MonkeyPatch, api: str) -> None:
    """Let a project be new without an API that the imitation's projects have from the start."""
    from sandbox.google.apis import server, service_usage

    real = service_usage.is_enabled
    for module in (server, service_usage):
        monkeypatch.setattr(module, "is_enabled", lambda name, *rest: name != api and real(name, *rest))


def test_a_permission_that_is_not_held_names_the_role_that_gives_it(
    google: Google, needs_of: NeedsOf
) -> None:
    google.change(denied_permissions=("container.clusters.create", "container.clusters.update"))
    check = only(needs_of())
    assert (check.area, check.subject, check.state) == ("roles", "roles/container.admin", "missing")
    assert "without container.clusters.create, container.clusters.update" in check.detail
    assert f"add-iam-policy-binding {PROJECT} --member=user:somebody@acme.example" in check.remedy
    assert "--role=roles/container.admin" in check.remedy


def test_every_permission_is_asked_for(google: Google, needs_of: NeedsOf) -> None:
    needs = needs_of()
    google.change(denied_permissions=needs.permissions)
    missing = faults(run_preflight(needs, STATE))
    assert [check.subject for check in missing] == [role.role for role in needs.roles]


@pytest.mark.parametrize(
    ("name", "rule", "remedy"),
    [
        ("iam.disableServiceAccountCreation", {"enforce": True}, "gcloud org-policies set-policy"),
        (
            "gcp.resourceLocations",
            {"values": {"allowedValues": ["in:europe-locations"]}},
            "in:us-central1-locations",
        ),
        (
            "gcp.restrictServiceUsage",
            {"values": {"deniedValues": ["container.googleapis.com"]}},
            "--effective",
        ),
        ("compute.restrictCloudNATUsage", {"denyAll": True}, f"under:projects/{PROJECT}"),
        ("container.managed.enableGoogleGroupsRBAC", {"enforce": True}, "headroom:cluster.security_group"),
    ],
)
def test_a_policy_that_forbids_what_the_plan_needs_is_named_with_its_remedy(
    google: Google, needs_of: NeedsOf, name: str, rule: dict[str, Any], remedy: str
) -> None:
    google.change(policies={name: [rule]})
    check = only(needs_of())
    assert (check.area, check.subject, check.state) == ("organization policies", name, "missing")
    assert remedy in check.remedy


def test_a_policy_that_allows_the_project_by_its_folder_is_fine(google: Google, needs_of: NeedsOf) -> None:
    allowed = [{"values": {"allowedValues": ["under:folders/7"]}}]
    google.change(policies={"gcp.restrictCmekCryptoKeyProjects": allowed}, parent="folders/7")
    assert faults(run_preflight(needs_of(), STATE)) == []
    google.change(parent="folders/8")
    assert only(needs_of()).state == "unknown"


def test_a_zone_that_is_down_is_missing(google: Google, needs_of: NeedsOf) -> None:
    google.change(zones_down=("us-central1-b",))
    check = only(needs_of())
    assert (check.area, check.subject, check.state) == ("zones", "us-central1-b", "missing")


def test_a_machine_that_the_project_cannot_have_is_missing_in_its_zone(
    google: Google, needs_of: NeedsOf
) -> None:
    google.change(withheld_machines=("us-central1-a/n2-standard-16",))
    check = only(needs_of())
    assert (check.area, check.subject) == ("machines", "n2-standard-16 in us-central1-a")
    assert "gcloud compute machine-types list --filter=name=n2-standard-16" in check.remedy


def test_a_gpu_that_the_zone_does_not_have_is_missing(google: Google, needs_of: NeedsOf) -> None:
    google.change(withheld_machines=("us-central1-a/nvidia-tesla-t4",))
    pool = {
        "machine": "n1-standard-8",
        "zones": ["us-central1-a"],
        "nodes": {"max": 1},
        "gpu": {"type": "nvidia-tesla-t4", "count": 1},
    }
    check = only(needs_of(pools={"t4": pool}))
    assert check.subject == "n1-standard-8 with nvidia-tesla-t4 in us-central1-a"
    assert "accelerator-types list --filter=name=nvidia-tesla-t4" in check.remedy


RESERVED = {
    "machine": "a3-highgpu-8g",
    "zones": ["us-central1-a"],
    "nodes": {"max": 4},
    "capacity": {"kind": "reservation", "names": ["one", "two"]},
}


@pytest.mark.parametrize(
    ("two", "phrase"),
    [
        (None, "is in none of us-central1-a"),
        ({"machine": "a3-highgpu-8g", "count": 2, "status": "CREATING"}, "that can be used now"),
        ({"machine": "a2-highgpu-1g", "count": 2}, "holds no a3-highgpu-8g"),
        ({"machine": "a3-highgpu-8g", "count": 1}, "holds 3 of the 4 nodes of h100"),
    ],
)
def test_reservations_must_be_there_be_ready_and_hold_the_pool(
    google: Google, needs_of: NeedsOf, two: dict[str, Any] | None, phrase: str
) -> None:
    one = {"us-central1-a/one": {"machine": "a3-highgpu-8g", "count": 2}}
    google.change(reservations=one | ({"us-central1-a/two": two} if two else {}))
    found = faults(run_preflight(needs_of(pools={"h100": RESERVED}), STATE))
    assert {check.area for check in found} == {"reservations"}
    assert phrase in next(check.detail for check in found if check.subject == "two")
    assert all(check.state == "missing" for check in found)
    assert "gcloud compute reservations create" in found[-1].remedy


def test_reservations_that_hold_the_pool_are_fine(google: Google, needs_of: NeedsOf) -> None:
    held = {"machine": "a3-highgpu-8g", "count": 2}
    google.change(reservations={"us-central1-a/one": held, "us-central1-a/two": held})
    assert faults(run_preflight(needs_of(pools={"h100": RESERVED}), STATE)) == []


def test_a_quota_that_is_short_says_by_how_much_and_how_to_ask_for_more(
    google: Google, needs_of: NeedsOf
) -> None:
    """Q1."""
    needs = needs_of()
    drawn = next(draw for draw in needs.draws if draw.quota.quota_id == "N2-CPUS-per-project-region")
    google.store.set_limit(PROJECT, "N2-CPUS-per-project-region/us-central1", drawn.amount - 3)
    check = only(needs)
    assert (check.area, check.state) == ("quotas", "missing")
    assert check.detail.endswith("short by 3")
    assert f"--preferred-value={drawn.amount} " in check.remedy
    assert "--dimensions=region=us-central1" in check.remedy


def test_a_quota_that_google_does_not_list_is_unknown(google: Google, needs_of: NeedsOf) -> None:
    google.change(unlisted_quotas=("N2-CPUS-per-project-region",))
    check = only(needs_of())
    assert (check.area, check.state) == ("quotas", "unknown")


def test_a_group_that_does_not_exist_is_missing(google: Google, needs_of: NeedsOf) -> None:
    needs = needs_of(cluster={"security_group": "gke-security-groups@acme.co"})
    check = only(needs)
    assert (check.area, check.subject, check.state) == ("groups", "gke-security-groups@acme.co", "missing")
    google.change(groups=("gke-security-groups@acme.co",))
    assert faults(run_preflight(needs, STATE)) == []


def test_a_bucket_that_does_not_exist_is_missing(google: Google, needs_of: NeedsOf) -> None:
    check = only(needs_of(), "gs://elsewhere")
    assert (check.area, check.subject, check.state) == ("state bucket", "gs://elsewhere", "missing")
    assert check.remedy.startswith("gcloud storage buckets create gs://elsewhere ")


@pytest.mark.parametrize(
    ("properties", "flag"),
    [
        ({"versioning": None}, "--versioning"),
        ({"uniformBucketLevelAccess": False}, "--uniform-bucket-level-access"),
        ({"publicAccessPrevention": "inherited"}, "--public-access-prevention"),
    ],
)
def test_a_bucket_that_is_open_or_forgets_is_missing_that(
    google: Google, needs_of: NeedsOf, properties: dict[str, Any], flag: str
) -> None:
    admin.make_bucket(google.store, PROJECT, BUCKET, **properties)
    check = only(needs_of())
    assert (check.area, check.state) == ("state bucket", "missing")
    assert check.remedy == f"gcloud storage buckets update gs://{BUCKET} {flag}"


def test_a_bucket_that_one_may_not_write_is_missing_that(google: Google, needs_of: NeedsOf) -> None:
    google.change(denied_permissions=("storage.objects.create",))
    assert "without storage.objects.create" in only(needs_of()).detail


def test_a_bucket_whose_settings_one_may_not_see_is_unknown(google: Google, needs_of: NeedsOf) -> None:
    google.change(denied_permissions=("storage.buckets.get",))
    found = faults(run_preflight(needs_of(), STATE))
    assert [check.state for check in found] == ["unknown"] * 3
    assert all("takes storage.buckets.get" in check.detail for check in found)


def test_where_no_bucket_is_named_it_is_the_one_that_bootstrap_makes(
    google: Google, needs_of: NeedsOf
) -> None:
    check = only(needs_of(), None)
    assert (check.subject, check.state) == (f"gs://{PROJECT}-pulumi-state", "missing")
    assert check.remedy == "pulumi -C bootstrap up -s test"
    admin.make_bucket(google.store, PROJECT, f"{PROJECT}-pulumi-state")
    assert faults(run_preflight(needs_of())) == []


@pytest.mark.parametrize("state", ["https://api.pulumi.com", "file:///tmp"])
def test_a_state_that_is_in_no_bucket_is_unknown(google: Google, needs_of: NeedsOf, state: str) -> None:
    check = only(needs_of(), state)
    assert (check.area, check.state) == ("state bucket", "unknown")


def test_without_credentials_nothing_is_known(needs_of: NeedsOf, monkeypatch: pytest.MonkeyPatch) -> None:
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError

    def refuse(**_: Any) -> None:
        raise DefaultCredentialsError("none")

    monkeypatch.delenv(ENDPOINT_VARIABLE, raising=False)
    monkeypatch.setattr(google.auth, "default", refuse)
    checks = run_preflight(needs_of(), STATE)
    assert [(check.area, check.state, check.remedy) for check in checks] == [
        ("credentials", "unknown", "gcloud auth application-default login")
    ]
    assert exit_code(checks) == 3


def test_without_a_way_to_the_apis_nothing_is_known(
    needs_of: NeedsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENDPOINT_VARIABLE, "http://127.0.0.1:9")
    checks = run_preflight(needs_of(), STATE)
    assert [check.state for check in checks] == ["ok", "unknown", "unknown"]
    assert "could not be reached" in checks[1].detail
    assert exit_code(checks) == 3


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1", "http://example.com", "127.0.0.1:80", "http://localhost/x"]
)
def test_an_endpoint_that_is_not_on_this_machine_is_refused(
    needs_of: NeedsOf, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv(ENDPOINT_VARIABLE, url)
    with pytest.raises(EndpointError, match="must be the URL of something on this machine"):
        run_preflight(needs_of(), STATE)


def test_a_request_from_the_console_is_told_with_the_command_that_takes_it_in(
    google: Google, needs_of: NeedsOf, config: dict[str, Any], tmp_path: Path
) -> None:
    """Q2: asked for through the API, under whatever name; only a stack that asks for quota minds."""
    console = World(tmp_path / "cloud.sqlite")
    quota = "N2-CPUS-per-project-region/us-central1"
    console.set_quota(PROJECT, quota, 10)
    console.request_quota(PROJECT, quota, 20, "console-7f3a")
    only_short = faults(run_preflight(needs_of(), STATE))
    assert [check.area for check in only_short] == ["quotas"]
    config["headroom:quota"] = {"requests": {"contact": "ada@acme.co"}}
    quotas, requests = faults(run_preflight(needs_of(), STATE))
    assert "20 asked for as console-7f3a, pending" in quotas.detail
    assert (requests.area, requests.state) == ("quota requests", "unknown")
    assert "quotaPreferences/console-7f3a --stack test " in requests.remedy


def test_a_stack_that_asks_for_quota_needs_the_role_and_the_api(
    google: Google, needs_of: NeedsOf, config: dict[str, Any]
) -> None:
    config["headroom:quota"] = {"requests": {"contact": "ada@acme.co"}}
    checks = run_preflight(needs_of(), STATE)
    assert faults(checks) == []
    assert "roles/cloudquotas.admin" in {check.subject for check in checks}
    named = [check for check in checks if check.subject == "cloudquotas.googleapis.com"]
    assert [check.detail for check in named] == ["grants are read and requests made through it"]
