"""From what a project answers to checks: what is there, what is missing, and the command that mends it."""

from collections.abc import Collection, Iterable, Sequence
from shlex import quote

from headroom.planning.cloud_quotas import judge_request, name_request, place_request, render_import
from headroom.planning.grants import UNLIMITED, Preference, Standing
from headroom.planning.org_policies import Constraint, PolicyRule, judge_rules
from headroom.planning.preflight import (
    Check,
    MachineNeed,
    Needs,
    Reservation,
    ReservationNeed,
    State,
    StateBucket,
)


def check_project(needs: Needs, number: str, *, active: bool) -> Check:
    """Judge the project itself."""
    if active:
        return Check("project", needs.project, "ok", f"number {number}")
    remedy = f"gcloud projects undelete {needs.project}"
    return Check("project", needs.project, "missing", "is being deleted", remedy)


def check_absent_project(needs: Needs) -> Check:
    """Judge a project that cannot be seen: Google does not say whether it exists."""
    return Check(
        "project",
        needs.project,
        "missing",
        "does not exist, or you may not see it",
        f"gcloud projects create {needs.project} --folder=FOLDER_ID",
    )


def check_billing(needs: Needs, *, billed: bool) -> Check:
    """Judge whether a billing account pays for the project."""
    if billed:
        return Check("billing", "billing account", "ok", "is linked and open")
    remedy = f"gcloud billing projects link {needs.project} --billing-account=ACCOUNT_ID"
    return Check("billing", "billing account", "missing", "none is linked, or it is closed", remedy)


def check_apis(needs: Needs, enabled: Collection[str]) -> list[Check]:
    """Judge each API; one command enables all that are missing, in the right order."""
    missing = [need.api for need in needs.apis if need.api not in enabled]
    remedy = f"gcloud services enable {' '.join(missing)} --project={needs.project}"
    return [
        Check("APIs", need.api, "missing", f"is not enabled: {need.why}", remedy)
        if need.api in missing
        else Check("APIs", need.api, "ok", need.why)
        for need in needs.apis
    ]


def check_roles(needs: Needs, held: Collection[str], principal: str) -> list[Check]:
    """Judge each role by the permissions that are needed of it."""
    checks = []
    for role in needs.roles:
        missing = [name for name in role.permissions if name not in held]
        if missing:
            remedy = (
                f"gcloud projects add-iam-policy-binding {needs.project} --member={principal} "
                f"--role={role.role} --condition=None"
            )
            detail = f"{role.why}: without {', '.join(missing)}"
            checks.append(Check("roles", role.role, "missing", detail, remedy))
        else:
            checks.append(Check("roles", role.role, "ok", role.why))
    return checks


def check_policy(
    needs: Needs, constraint: Constraint, rules: Iterable[PolicyRule], ancestors: Iterable[str]
) -> Check:
    """Judge an organization policy by what the plan needs."""
    apis = [need.api for need in needs.apis if not need.asked_only]
    verdict = judge_rules(constraint, rules, needs.region, ancestors, apis)
    if verdict == "allowed":
        return Check("organization policies", constraint.name, "ok", "does not stand in the way")
    show = f"gcloud org-policies describe {constraint.name} --project={needs.project} --effective"
    if verdict == "unknown":
        return Check(
            "organization policies",
            constraint.name,
            "unknown",
            f"names groups whose members are not known here; if they leave it out, {constraint.why}",
            show,
        )
    remedy = _relax(needs, constraint)
    return Check("organization policies", constraint.name, "missing", constraint.why, remedy or show)


def check_zones(needs: Needs, up: Collection[str]) -> list[Check]:
    """Judge whether the zones exist and are up."""
    listing = f'gcloud compute zones list --filter="region:{needs.region}" --project={needs.project}'
    return [
        Check("zones", zone, "ok", "is up")
        if zone in up
        else Check("zones", zone, "missing", "does not exist or is down; choose others", listing)
        for zone in needs.zones
    ]


def check_machine(needs: Needs, need: MachineNeed, *, has_machine: bool, has_gpu: bool) -> Check:
    """Judge whether a zone has a machine type, and the GPU that is attached to it."""
    subject = (
        f"{need.machine} in {need.zone}" if not need.gpu else f"{need.machine} with {need.gpu} in {need.zone}"
    )
    if has_machine and has_gpu:
        return Check("machines", subject, "ok", "is offered")
    kind, name = ("machine", need.machine) if not has_machine else ("accelerator", need.gpu)
    remedy = f"gcloud compute {kind}-types list --filter=name={name} --project={needs.project}"
    return Check(
        "machines", subject, "missing", f"{name} is not offered to the project; choose other zones", remedy
    )


def check_reservations(
    pool: Sequence[ReservationNeed], found: Sequence[Sequence[Reservation]]
) -> list[Check]:
    """Judge the reservations of one pool; `found` has for each what its zones hold under its name."""
    total = sum(item.count for items in found for item in items if _fits(pool[0], item))
    checks = []
    for need, items in zip(pool, found, strict=True):
        if not items:
            state, detail = "missing", f"is in none of {', '.join(need.zones)}"
        elif not all(_fits(need, item) for item in items):
            state, detail = "missing", f"holds no {need.machine} that can be used now"
        elif total < need.nodes:
            state, detail = (
                "missing",
                f"holds {total} of the {need.nodes} nodes of {need.pool}, with its like",
            )
        else:
            state, detail = "ok", f"holds {sum(item.count for item in items)} x {need.machine}"
        checks.append(_reservation(need, state, detail))
    return checks


def check_quotas(
    needs: Needs, standings: Iterable[Standing], preferences: Iterable[Preference] = ()
) -> list[Check]:
    """Judge the quotas that the plan draws from by what is granted and asked for now."""
    asked = tuple(preferences)
    return [_check_quota(needs, standing, _find_preference(standing, asked)) for standing in standings]


def check_requests(
    needs: Needs, standings: Iterable[Standing], preferences: Iterable[Preference]
) -> list[Check]:
    """Judge the requests for quota that `pulumi up` will find, and that somebody else has made.

    Whether the stack has taken one in is not known here; the command that does so does nothing if it has.
    """
    asked = tuple(preferences)
    return [
        _check_request(needs, standing, preference)
        for standing in standings
        if needs.asks_quota and (preference := _find_preference(standing, asked))
        if preference.name != name_request(needs.environment, standing.draw.quota)
    ]


def check_group(group: str, *, exists: bool) -> Check:
    """Judge whether a group that the stack file names exists."""
    if exists:
        return Check("groups", group, "ok", "exists")
    domain = group.rsplit("@", 1)[-1]
    remedy = (
        f"gcloud identity groups create {group} --organization={domain} "
        "--labels=cloudidentity.googleapis.com/groups.discussion_forum"
    )
    return Check("groups", group, "missing", "does not exist", remedy)


def check_bucket(needs: Needs, name: str, bucket: StateBucket | None, principal: str) -> list[Check]:
    """Judge the bucket of Pulumi's state: it must keep old versions, be closed, and be ours to write."""
    url = f"gs://{name}"
    if bucket is None:
        return [Check("state bucket", url, "missing", "does not exist", _make_bucket(needs, name))]
    update = f"gcloud storage buckets update {url}"
    wants = (
        (bucket.versioned, "old versions are kept", f"{update} --versioning"),
        (bucket.uniform, "access is uniform", f"{update} --uniform-bucket-level-access"),
        (bucket.private, "the public is kept out", f"{update} --public-access-prevention"),
    )
    checks = [_judge_bucket(url, held, claim, remedy) for held, claim, remedy in wants]
    if bucket.missing_permissions:
        remedy = (
            f"gcloud storage buckets add-iam-policy-binding {url} --member={principal} "
            "--role=roles/storage.objectUser"
        )
        detail = f"without {', '.join(bucket.missing_permissions)}"
        checks.append(Check("state bucket", url, "missing", detail, remedy))
    else:
        checks.append(Check("state bucket", url, "ok", "may be written"))
    return checks


def _judge_bucket(url: str, held: bool | None, claim: str, remedy: str) -> Check:
    if held is None:
        detail = f"one may not see whether {claim}: that takes storage.buckets.get"
        return Check("state bucket", url, "unknown", detail)
    if held:
        return Check("state bucket", url, "ok", claim)
    return Check("state bucket", url, "missing", f"not so: {claim}", remedy)


def _make_bucket(needs: Needs, name: str) -> str:
    if name == needs.state_bucket:
        return f"pulumi -C bootstrap up -s {needs.state_stack}"
    return (
        f"gcloud storage buckets create gs://{name} --project={needs.project} --location={needs.region} "
        "--uniform-bucket-level-access --public-access-prevention && "
        f"gcloud storage buckets update gs://{name} --versioning"
    )


def _relax(needs: Needs, constraint: Constraint) -> str:
    if constraint.when == "no_security_group":
        return "pulumi config set --path headroom:cluster.security_group gke-security-groups@YOUR_DOMAIN"
    if constraint.kind == "boolean":
        name = f"projects/{needs.project}/policies/{constraint.name}"
        policy = f"{{name: {name}, spec: {{rules: [{{enforce: false}}]}}}}"
        return f"echo '{policy}' | gcloud org-policies set-policy /dev/stdin"
    if constraint.kind == "locations":
        value = f"in:{needs.region}-locations"
    elif constraint.kind == "services":
        return ""
    else:
        value = f"under:projects/{needs.project}"
    return f"gcloud resource-manager org-policies allow {constraint.name} {value} --project={needs.project}"


def _fits(need: ReservationNeed, found: Reservation) -> bool:
    return found.ready and found.machine == need.machine


def _reservation(need: ReservationNeed, state: State, detail: str) -> Check:
    remedy = ""
    if state != "ok":
        remedy = (
            f"gcloud compute reservations create {need.name} --project={need.project} --zone={need.zones[0]} "
            f"--machine-type={need.machine} --vm-count={need.nodes} --require-specific-reservation"
        )
    return Check("reservations", need.name, state, detail, remedy)


def _find_preference(standing: Standing, preferences: Iterable[Preference]) -> Preference | None:
    return next((each for each in preferences if each.is_for(standing.draw.quota)), None)


def _check_request(needs: Needs, standing: Standing, preference: Preference) -> Check:
    subject = _name_quota(standing)
    detail = f"{_describe_request(preference)}, by somebody else"
    if not _is_to_be_raised(standing, preference):
        return Check("quota requests", subject, "ok", f"{detail}; the stack adopts it as it is")
    line = standing.draw.quota
    key = name_request(needs.environment, line)
    remedy = (
        f"headroom quota pull -s {needs.environment} && "
        f"{render_import(needs.environment, needs.project, key, preference.name)}"
    )
    detail += f"; `pulumi up` can raise it to {standing.draw.amount:,} only if the stack has taken it in"
    return Check("quota requests", subject, "unknown", detail, remedy)


def _is_to_be_raised(standing: Standing, preference: Preference) -> bool:
    return standing.state == "short" and 0 <= preference.preferred < standing.draw.amount


def _describe_request(preference: Preference) -> str:
    amount = "no limit" if preference.preferred == UNLIMITED else f"{preference.preferred:,}"
    state = judge_request(preference.preferred, preference.granted, reconciling=preference.reconciling)
    return f"{amount} asked for as {preference.name}, {state}"


def _name_quota(standing: Standing) -> str:
    line = standing.draw.quota
    dimensions = "".join(f", {key}={value}" for key, value in line.dimensions)
    return f"{line.quota_id} ({line.region or 'all regions'}{dimensions})"


def _check_quota(needs: Needs, standing: Standing, preference: Preference | None) -> Check:
    subject = _name_quota(standing)
    drawn = f"{standing.draw.amount:,} drawn"
    if standing.state == "unknown":
        console = f"https://console.cloud.google.com/iam-admin/quotas?project={needs.project}"
        detail = f"{drawn}; Google lists no such grant, so look for it at {console}"
        return Check("quotas", subject, "unknown", detail)
    granted = "no limit" if standing.granted == UNLIMITED else f"{standing.granted:,} granted"
    if standing.state == "enough":
        return Check("quotas", subject, "ok", f"{drawn}, {granted}")
    detail = f"{drawn}, {granted}: short by {standing.short_by:,}"
    if preference:
        detail += f"; {_describe_request(preference)}"
    return Check("quotas", subject, "missing", detail, _ask_for(needs, standing, preference))


def _ask_for(needs: Needs, standing: Standing, preference: Preference | None) -> str:
    """Return the command that asks for a quota that is short, or shows the request that awaits its answer."""
    line = standing.draw.quota
    verb, name = ("update", f"{quote(preference.name)} ") if preference else ("create", "")
    if preference and not _is_to_be_raised(standing, preference):
        return f"gcloud beta quotas preferences describe {quote(preference.name)} --project={needs.project}"
    if needs.asks_quota:
        return f"headroom quota pull -s {needs.environment} && pulumi up -s {needs.environment}"
    pairs = ",".join(f"{key}={value}" for key, value in place_request(line).items())
    return (
        f"gcloud beta quotas preferences {verb} {name}--project={needs.project} --service={line.service} "
        f"--quota-id={line.quota_id} --preferred-value={standing.draw.amount} --email=YOUR_ADDRESS"
        + (f" --dimensions={pairs}" if pairs else "")
    )
