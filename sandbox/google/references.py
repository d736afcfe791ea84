"""What a resource names has to be there, and what is named cannot always go."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from sandbox.google.check import walk
from sandbox.google.errors import ApiError
from sandbox.google.facts import load_table
from sandbox.google.outputs import last_segment
from sandbox.google.principals import require_grant
from sandbox.google.rules import Request, Surroundings
from sandbox.google.store import LIVE, Link

BLOCKS: Final = "blocks"
OWNED: Final = "owned"
REFERS: Final = "refers"
_COMPUTE: Final = "https://www.googleapis.com/compute/v1/"


@dataclass(frozen=True)
class Reference:
    """One property of a request that names another resource."""

    property: str
    kind: str
    target_type: str
    target_id: str
    name: str
    relation: str
    grant: str | None


def find_references(request: Request) -> Iterator[Reference]:
    """The references of a request, as facts/references.yaml has them."""
    rows = load_table("references")["types"].get(request.token, ())
    if not rows:
        return
    values: dict[str, list[str]] = {}
    for _, path, value in walk(request.properties):
        if isinstance(value, str) and value:
            values.setdefault(path, []).append(value)
    for row in rows:
        for value in values.get(row["property"], ()):
            yield _reference(row, value, request)


def _reference(row: Mapping[str, Any], value: str, request: Request) -> Reference:
    kind = load_table("references")["kinds"][row["kind"]]
    relation = next((name for name in (BLOCKS, OWNED) if row.get(name)), REFERS)
    target = _target_id(kind["id"], value, request)
    return Reference(row["property"], row["kind"], kind["type"], target, value, relation, row.get("grant"))


def _target_id(template: str, value: str, request: Request) -> str:
    short = value.removeprefix(_COMPUTE)
    if short.startswith("projects/"):
        return short
    location = request.properties.get("location") or request.properties.get("region") or ""
    region = request.properties.get("region") or _region_of(location)
    account_project = short.partition("@")[2].removesuffix(".iam.gserviceaccount.com")
    place = {"project": request.project, "location": location, "region": region}
    place["bucket"] = last_segment(request.properties.get("bucket") or "")
    return template.format(name=last_segment(short), account_project=account_project, **place)


def _region_of(location: str) -> str:
    """The region of a zone such as `us-central1-a`; a region is its own."""
    return location.rpartition("-")[0] if location.count("-") == 2 else location


def require_references(request: Request, around: Surroundings) -> list[Link]:
    """The links of a request to what it names.

    Raises `ApiError` where something named is not there (or not seen yet), or a key may not be used.
    """
    links = []
    for reference in find_references(request):
        if _is_given(reference):
            continue
        kind = load_table("references")["kinds"][reference.kind]
        found = around.find_settled(
            reference.target_type, reference.target_id, request.moment, kind.get("lag")
        )
        if found is None:
            message = kind["message"].format(
                id=reference.target_id, name=reference.name, project=request.project
            )
            raise ApiError(kind["code"], message, kind["reason"])
        if reference.grant:
            require_grant(reference.target_id, reference.grant, request, around)
        links.append(Link(reference.target_type, reference.target_id, reference.relation))
    return links


def _is_given(reference: Reference) -> bool:
    given = load_table("references")["given"].get(reference.target_type, ())
    return reference.target_id.rpartition("/")[2] in given


def require_unused(token: str, identity: str, around: Surroundings) -> None:
    """Raise `ApiError` 400 if something live still needs the resource."""
    for source_type, source_id in around.store.referring(token, identity, BLOCKS):
        source = around.store.find(source_type, source_id)
        if source and source.status == LIVE:
            kind = token.split("/")[0].split(":")[1]
            what = token.split(":")[2].lower()
            message = f"The {what} resource '{identity}' is already being used by '{source_id}'"
            reason = "resourceInUseByAnotherResource" if kind == "compute" else "failedPrecondition"
            raise ApiError(HTTPStatus.BAD_REQUEST, message, reason)


def find_owned(token: str, identity: str, around: Surroundings) -> list[tuple[str, str]]:
    """Type and id of what goes together with a resource, such as the node pools of a cluster."""
    return around.store.referring(token, identity, OWNED)
