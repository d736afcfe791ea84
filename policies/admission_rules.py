"""The rule that admission policies are those that were agreed, by what they say and not by their names."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from headroom.planning.delivery import find_validated
from headroom.planning.tenancy import DELIVERY_LABEL
from policies.model import Model
from policies.resources import ABSENT, Missing, Resource, each, has_unknown, read
from policies.rules import Found, Rule
from policies.settings import Settings

_GROUP = "kubernetes:admissionregistration.k8s.io/"
POLICY, BINDING = f"{_GROUP}v1:ValidatingAdmissionPolicy", f"{_GROUP}v1:ValidatingAdmissionPolicyBinding"

_AGREED = Path(__file__).with_name("admission.yaml")
_DEFAULTS = {"matchPolicy": "Equivalent", "scope": "*"}
"""What the API server fills in; empty selectors, which select all, are left out too."""
_REPOSITORY = r"'[a-z0-9.:-]+/[^/', ]+/[^', ]+/'"
_PREFIX = rf"({_REPOSITORY}|'[a-z0-9.:-]+/[^', ]+@')"
"""How names of images begin: a repository with its host, or an image, but never a whole registry."""
_ADMITTED = re.compile(
    rf"\{{'production': \[(?P<production>{_REPOSITORY})\], "
    rf"'staging': \[(?P<staging>{_PREFIX}(, {_PREFIX})*)\]\}}"
)
"""Production runs what was validated, from a repository of its own, of which staging runs copies too."""
_KEEP = "keep infra/manifests as it is, or have the owners of policies/admission.yaml agree to the digest {}"


def digest_spec(spec: Any) -> str:
    """Return the SHA-256 of a policy's or a binding's spec without what is as good as left out.

    Empty where any of it is not known. Of the policy of images the variable `admitted` is left out, which the
    program puts in for each stack.
    """
    if not isinstance(spec, Mapping) or has_unknown(spec):
        return ""
    known = _without_defaults(spec)
    if variables := [row for row in each(known.get("variables")) if read(row, "name") != "admitted"]:
        known["variables"] = variables
    return sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _without_defaults(value: Any) -> Any:
    if isinstance(value, Mapping):
        kept = {key: _without_defaults(item) for key, item in value.items()}
        return {
            key: item for key, item in kept.items() if item not in (None, {}) and _DEFAULTS.get(key) != item
        }
    return [_without_defaults(item) for item in value] if isinstance(value, list | tuple) else value


def _check_admission(model: Model, _: Settings) -> Iterator[Found]:
    if not any(space.is_ours for space in model.namespaces):
        return
    delivers = any(
        space.resource.read("metadata", "labels", DELIVERY_LABEL) is not ABSENT for space in model.namespaces
    )
    for name, row in _agreed().items():
        if delivers or not row.get("delivery"):
            yield from _check_present(model, name, row["why"])
    for policy in model.of(POLICY):
        yield from _check_policy(model, policy)
    for binding in model.of(BINDING):
        yield from _check_binding(binding)
    for resource in model.resources:
        if resource.type.startswith(_GROUP) and resource.type not in (POLICY, BINDING):
            yield resource, f"is of the type {resource.type}, which may refuse or change any work", _REMOVE


_REMOVE = "remove it, or make it a ValidatingAdmissionPolicy of v1 that policies/admission.yaml agrees to"


def _check_present(model: Model, name: str, why: str) -> Iterator[Found]:
    found = [policy for policy in model.of(POLICY) if policy.object_name == name]
    if not found:
        yield name, f"there is no such admission policy: {why}", "keep infra/manifests as it is"
    elif not any(binding.read("spec", "policyName") == name for binding in model.of(BINDING)):
        yield found[0], f"has no binding, so it denies nothing: {why}", "keep infra/manifests as it is"


def _check_policy(model: Model, policy: Resource) -> Iterator[Found]:
    name, spec = policy.object_name, policy.read("spec")
    row, digest = _row(name), digest_spec(spec)
    if row is None:
        yield policy, f"is an admission policy {_shown(name)} that nobody agreed to", _remedy(digest)
        return
    why = row["why"]
    if policy.read("spec", "failurePolicy") not in (ABSENT, "Fail"):
        yield policy, "its failurePolicy is not Fail, so what it cannot judge comes in", _remedy(digest)
    elif policy.read("spec", "validations") in (ABSENT, []):
        yield policy, f"validates nothing: {why}", _remedy(digest)
    elif digest != row["policy"]:
        what = "is not the policy that was agreed" if digest else "says what is not known before the update"
        yield policy, f"{what}: {why}", _remedy(digest)
    else:
        yield from _check_admitted(model, policy, row)


def _check_admitted(model: Model, policy: Resource, row: Mapping[str, Any]) -> Iterator[Found]:
    """The digest leaves the variable out, so it is held to its form, and to the one repository of copies."""
    variables = each(policy.read("spec", "variables"))
    admitted = [variable for variable in variables if read(variable, "name") == "admitted"]
    if row.get("admits") and not _names_repositories(admitted):
        why = row["why"]
        yield policy, f"its variable admitted lists no repositories: {why}", "keep it as the program makes it"
    elif admitted and not row.get("admits"):
        yield policy, "has a variable admitted, which no rule reads here", "remove it"
    elif admitted and (production := _read_production(admitted[0])) != find_validated(model.home):
        message = f"in production images of {production} run, rather than of {find_validated(model.home)}"
        yield policy, message, "keep it as the program makes it"


def _names_repositories(admitted: list[Any]) -> bool:
    return len(admitted) == 1 and bool(_ADMITTED.fullmatch(str(read(admitted[0], "expression"))))


def find_production_repository(policy: Resource) -> str | None:
    """Return the repository that production takes its images from, by what admits them; None: that of another
    policy, or of one that says it in no way that is read here, for which `admission-is-enforced` finds it."""
    for variable in each(policy.read("spec", "variables")):
        if read(variable, "name") == "admitted":
            return _read_production(variable).strip("/").rpartition("/")[2] or None
    return None


def _read_production(admitted: Any) -> str:
    """How the names of images begin that production runs, with a slash; empty: that is not said."""
    found = _ADMITTED.fullmatch(str(read(admitted, "expression")))
    return found["production"].strip("'") if found else ""


def _check_binding(binding: Resource) -> Iterator[Found]:
    name, digest = binding.read("spec", "policyName"), digest_spec(binding.read("spec"))
    row = _row(name)
    if row is None:
        yield binding, f"binds an admission policy {_shown(name)} that nobody agreed to", _remedy(digest)
    elif digest != row["binding"]:
        yield binding, f"does not deny in every namespace that {name} is for: {row['why']}", _remedy(digest)


def _shown(name: Any) -> str:
    return f"whose name is {name.value}" if isinstance(name, Missing) else str(name)


def _remedy(digest: str) -> str:
    return _KEEP.format(digest or "once it is known")


def _row(name: Any) -> Mapping[str, Any] | None:
    return _agreed().get(name) if isinstance(name, str) else None


@cache
def _agreed() -> Mapping[str, Mapping[str, Any]]:
    return yaml.safe_load(_AGREED.read_text(encoding="utf-8"))


ADMISSION_RULES = (
    Rule(
        name="admission-is-enforced",
        description="The admission policies that close the ways around the queues are there as agreed.",
        family="quota",
        severity="critical",
        reference="Q3",
        remedy="Keep the policies and their bindings as policies/admission.yaml has them.",
        of_stack=_check_admission,
    ),
)
