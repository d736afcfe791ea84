"""What a change would delete or replace, read from `pulumi preview --json`.

A policy pack is shown what will be there, never what will not, so that this is judged where the steps are
(docs/decisions/0016-deletions-are-judged-by-the-preview.md).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from headroom.spec.errors import Problem, StackFileError
from policies.production_rules import is_kueue
from policies.resources import Resource, plain
from policies.rules import Found, Rule
from policies.settings import Settings

Loss = Literal["deleted", "replaced"]

KEPT: Mapping[str, str] = {
    "gcp:container/cluster:Cluster": "with it goes everything that runs there",
    "gcp:container/nodePool:NodePool": "what runs there is evicted, and its capacity may not come back",
    "gcp:storage/bucket:Bucket": "what is in it is gone",
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": "the logs in it are gone",
    "gcp:artifactregistry/repository:Repository": "the images in it are gone, those of a rollback too",
    "gcp:kms/keyRing:KeyRing": "what its keys encrypt cannot be read any more",
    "gcp:kms/cryptoKey:CryptoKey": "what it encrypts cannot be read any more",
    "gcp:sql/databaseInstance:DatabaseInstance": "what is in it is gone",
    "kubernetes:helm.sh/v3:Release": "with Kueue go the queues, and with them every limit",
}
"""What is not to be lost without somebody having said so, and what its loss means."""

_REPLACING = frozenset(
    ("replace", "create-replacement", "delete-replaced", "import-replacement", "discard-replaced")
)
_DELETING = frozenset(("delete",))
_HARMLESS = frozenset(
    (
        "same",
        "create",
        "update",
        "read",
        "read-replacement",
        "refresh",
        "discard",
        "import",
        "forget",
        "remove-pending-replace",
    )
)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a preview: what is done (the engine's name for it) to what was there before."""

    operation: str
    before: Resource
    reasons: tuple[str, ...] = ()
    """The properties that cannot be changed in place."""
    is_retained: bool = field(default=False)
    """Whether the engine forgets the resource rather than deletes it."""


def read_steps(content: bytes, file: str) -> tuple[Step, ...]:
    """Return the steps in what `pulumi preview --json` printed.

    Raises StackFileError where it is not that, or the preview failed: what cannot be read, or is not all of
    it, is never taken for no change.
    """
    try:
        report = json.loads(content)
    except (ValueError, RecursionError):
        report = None
    if not isinstance(report, Mapping) or not isinstance(report.get("steps"), list):
        problem = "is not what `pulumi preview --json` prints: it has no steps; run it again, into this file"
        raise StackFileError([Problem("", problem)], file)
    if failure := _find_failure(report):
        raise StackFileError([failure], file)
    steps = []
    for number, step in enumerate(report["steps"]):
        if not isinstance(step, Mapping) or not isinstance(step.get("urn"), str) or "op" not in step:
            raise StackFileError(
                [Problem(f"steps[{number}]", "has no op or no urn; run the preview again")], file
            )
        try:
            steps.append(_read_step(step))
        except TypeError as error:
            raise StackFileError(
                [Problem(f"steps[{number}]", f"{error}; run the preview again")], file
            ) from None
    return tuple(steps)


def _find_failure(report: Mapping[str, Any]) -> Problem | None:
    """Return why the steps may not be all of them, if so: a preview that fails prints those it got to."""
    remedy = "so its steps may not be all; mend that and run the preview again"
    diagnostics = report.get("diagnostics") or ()
    if not isinstance(diagnostics, list | tuple) or not all(
        isinstance(each, Mapping) for each in diagnostics
    ):
        return Problem("diagnostics", "is no list of mappings; run the preview again")
    for number, each in enumerate(diagnostics):
        if each.get("severity") == "error":
            return Problem(f"diagnostics[{number}]", f"is an error: {_first_line(each)}, {remedy}")
    if report.get("maybeCorrupt"):
        return Problem("maybeCorrupt", f"is set, {remedy}")
    return None


def _first_line(diagnostic: Mapping[str, Any]) -> str:
    return next(iter(str(diagnostic.get("message") or "").strip().splitlines()), "it has no message")


def _read_step(step: Mapping[str, Any]) -> Step:
    """Return the step. Raises TypeError for what has another form than the engine's."""
    urn = step["urn"]
    old, reasons = step.get("oldState") or {}, step.get("replaceReasons") or ()
    if not isinstance(old, Mapping) or not isinstance(old.get("inputs") or {}, Mapping):
        raise TypeError("its oldState, or the inputs of that, are no mapping")
    if not isinstance(reasons, list | tuple):
        raise TypeError("its replaceReasons are no list")
    _, _, kinds, name = [*urn.split("::", 3), "", "", ""][:4]
    kind = kinds.rpartition("$")[2]
    resource = Resource(kind, name, urn, plain(old.get("inputs") or {}))
    return Step(str(step["op"]), resource, tuple(map(str, reasons)), bool(old.get("retainOnDelete")))


def find_losses(steps: Iterable[Step]) -> tuple[tuple[Step, Loss], ...]:
    """Return what is deleted or replaced, each resource once; a replacement has several steps."""
    losses: dict[str, tuple[Step, Loss]] = {}
    for step in steps:
        urn = step.before.urn
        if step.operation in _REPLACING:
            reasons = step.reasons or (losses[urn][0].reasons if urn in losses else ())
            before = step.before if step.before.properties or urn not in losses else losses[urn][0].before
            losses[urn] = (Step(step.operation, before, reasons, step.is_retained), "replaced")
        elif step.operation in _DELETING and urn not in losses:
            losses[urn] = (step, "deleted")
    return tuple(losses.values())


def _check_losses(steps: Iterable[Step], _: Settings) -> Iterator[Found]:
    steps = tuple(steps)
    for step in steps:
        if step.operation not in _REPLACING | _DELETING | _HARMLESS and step.before.type in KEPT:
            yield (
                step.before,
                f"nobody knows what the operation {step.operation} does to it",
                "look at the preview",
            )
    for step, loss in find_losses(steps):
        if step.before.type in KEPT and not _outlives(step, loss):
            because = f" because of {', '.join(step.reasons)}" if step.reasons else ""
            yield (
                step.before,
                f"is {loss}{because}: {KEPT[step.before.type]}",
                "leave it, or have the owners of policies/settings.yaml exempt it from nothing-is-lost",
            )


def _outlives(step: Step, loss: Loss) -> bool:
    """Whether it stays in the cloud, and for a release that it is none of Kueue's."""
    if step.before.type == "kubernetes:helm.sh/v3:Release" and not is_kueue(step.before):
        return True
    return loss == "deleted" and (step.is_retained or step.before.read("deletionPolicy") == "ABANDON")


REPLACEMENT_RULES = (
    Rule(
        name="nothing-is-lost",
        description="Clusters, pools, buckets, keys and Kueue are not deleted or replaced unless agreed.",
        family="operations",
        severity="critical",
        reference="docs/decisions/0016-deletions-are-judged-by-the-preview.md",
        remedy="Leave them, or have the owners of policies/settings.yaml exempt them.",
        of_steps=_check_losses,
    ),
)
