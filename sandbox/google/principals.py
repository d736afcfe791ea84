"""Who is granted something has to exist: service accounts, service agents, workload identities' pools."""

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from sandbox.google.errors import ApiError
from sandbox.google.facts import load_table
from sandbox.google.outputs import project_number
from sandbox.google.rules import Request, Surroundings
from sandbox.google.services import SERVICE
from sandbox.google.store import LIVE

ACCOUNT: Final = "gcp:serviceaccount/account:Account"
IDENTITY: Final = "gcp:projects/serviceIdentity:ServiceIdentity"
FEDERATED_POOL: Final = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
CLUSTER: Final = "gcp:container/cluster:Cluster"
_ACCESS: Final = re.compile(r"(IAM|Iam)(Member|Binding)$")
_ACCOUNT: Final = re.compile(r"^serviceAccount:([^@\[]+@([^.]+)\.iam\.gserviceaccount\.com)$")
_AGENT: Final = re.compile(r"^serviceAccount:service-(\d+)@(.+)$")
_WORKLOAD: Final = re.compile(r"^serviceAccount:([^\[]+)\.svc\.id\.goog\[")
_PRINCIPAL: Final = re.compile(
    r"^principal(?:Set)?://iam\.googleapis\.com/projects/\d+/locations/global/workloadIdentityPools/([^/]+)/"
)
_ENCRYPT: Final = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
_KEY_MEMBER: Final = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
_KEY_BINDING: Final = "gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding"


def require_principals(request: Request, around: Surroundings) -> None:
    """Raise `ApiError` 400 if a binding grants something to somebody who is not there (or not seen yet).

    Users, groups and domains are taken to exist: the imitation holds no directory.
    """
    if not _ACCESS.search(request.token):
        return
    for member in _members(request.properties):
        _require_member(member, request, around)


def _members(properties: Mapping[str, Any]) -> Iterator[str]:
    if properties.get("member"):
        yield properties["member"]
    yield from properties.get("members") or ()


def _require_member(member: str, request: Request, around: Surroundings) -> None:
    workload = _WORKLOAD.match(member)
    federated = _PRINCIPAL.match(member)
    if workload:
        _require_workload_pool(f"{workload[1]}.svc.id.goog", request, around)
    elif federated and federated[1].endswith(".svc.id.goog"):
        _require_workload_pool(federated[1], request, around)
    elif federated:
        _require_federated_pool(federated[1], request, around)
    elif agent := _AGENT.match(member):
        if not is_agent_there(agent[1], agent[2], request, around):
            raise _absent(member.removeprefix("serviceAccount:"))
    elif account := _ACCOUNT.match(member):
        identity = f"projects/{account[2]}/serviceAccounts/{account[1]}"
        if around.find_settled(ACCOUNT, identity, request.moment, "account") is None:
            raise _absent(account[1])


def _absent(email: str) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, f"Service account {email} does not exist.", "badRequest")


def is_agent_there(number: str, domain: str, request: Request, around: Surroundings) -> bool:
    """Whether a service agent exists and is seen: made with its API, or asked for as a ServiceIdentity."""
    if number != request.number:
        return False
    agents = load_table("agents")
    service = next((name for name, row in agents.items() if row["domain"] == domain), None)
    if service is None:
        return False
    asked = (IDENTITY, f"projects/{request.project}/services/{service}")
    enabled = (SERVICE, f"{request.project}/{service}")
    born = [asked, enabled] if agents[service].get("with_api") else [asked]
    return any(around.find_settled(token, identity, request.moment, "agent") for token, identity in born)


def _require_workload_pool(pool: str, request: Request, around: Surroundings) -> None:
    project = pool.removesuffix(".svc.id.goog")
    clusters = around.store.objects(CLUSTER, LIVE)
    lag = around.lag("identity_pool", CLUSTER, pool)
    births = [cluster.created for cluster in clusters if _uses_pool(cluster.properties, project, pool)]
    if not births or request.moment < min(births) + lag:
        message = (
            f"Identity Pool does not exist ({pool}). Please check that you specified a valid resource name "
            "as returned in the `name` attribute in the configuration API."
        )
        raise ApiError(HTTPStatus.BAD_REQUEST, message, "badRequest")


def _uses_pool(properties: Mapping[str, Any], project: str, pool: str) -> bool:
    config = properties.get("workloadIdentityConfig") or {}
    return properties.get("project") == project and config.get("workloadPool") == pool


def _require_federated_pool(pool: str, request: Request, around: Surroundings) -> None:
    identity = f"projects/{request.project}/locations/global/workloadIdentityPools/{pool}"
    if around.find_settled(FEDERATED_POOL, identity, request.moment) is None:
        message = f"Identity Pool does not exist ({pool})."
        raise ApiError(HTTPStatus.BAD_REQUEST, message, "badRequest")


def require_grant(key: str, service: str, request: Request, around: Surroundings) -> None:
    """Raise `ApiError` 403 if the agent of a service may not use a key (or only since a moment ago)."""
    domain = load_table("agents")[service]["domain"]
    agent = f"serviceAccount:service-{project_number(request.project)}@{domain}"
    member = around.find_settled(_KEY_MEMBER, f"{key}/{_ENCRYPT}/{agent}", request.moment, "grant")
    binding = around.find_settled(_KEY_BINDING, f"{key}/{_ENCRYPT}", request.moment, "grant")
    if member or (binding and agent in (binding.properties.get("members") or ())):
        return
    message = (
        f"Permission 'cloudkms.cryptoKeyVersions.useToEncrypt' denied on resource '{key}' "
        f"(or it may not exist) for {agent}."
    )
    raise ApiError(HTTPStatus.FORBIDDEN, message, "forbidden")
