"""What was deployed, by the state of the stack: an export of it, or what `pulumi stack export` says."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from headroom.audit.kueue_objects import read_all, read_cluster_queue, read_cohort
from headroom.audit.snapshot import Deployed
from headroom.live.cluster_pools import read_node_pool
from headroom.live.connection import UnansweredError

PULUMI: Final = "pulumi"
"""Stands for the command, which is run in the project's folder."""

_TIMEOUT_S: Final = 60.0
_LARGEST: Final = 512 * 2**20
_NODE_POOL: Final = "gcp:container/nodePool:NodePool"


def load_state(source: str, root: Path, stack: str) -> tuple[Deployed, tuple[str, ...]]:
    """Return what was deployed, and what of it could not be read.

    `source` is the path of an export, or `pulumi`. Raises UnansweredError where it cannot be had. Nothing but
    node pools, queues and cohorts is looked at, so that no secret of the state is.
    """
    return read_state(_run(root, stack) if source == PULUMI else _read(root / source))


def read_state(text: bytes) -> tuple[Deployed, tuple[str, ...]]:
    """Return what an export says was deployed, and its gaps. Raises UnansweredError for what is none."""
    try:
        resources = json.loads(text)["deployment"].get("resources") or []
        found = [each for each in resources if isinstance(each, dict) and not each.get("delete")]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UnansweredError(
            "it is no export of a stack", remedy="pulumi stack export --file FILE"
        ) from None
    gaps: list[str] = []
    return (
        Deployed(
            read_all(_inputs(found, _NODE_POOL), read_node_pool, gaps),
            read_all(
                _inputs(found, "kubernetes:kueue.x-k8s.io/v1beta2:ClusterQueue"), read_cluster_queue, gaps
            ),
            read_all(_inputs(found, "kubernetes:kueue.x-k8s.io/v1beta2:Cohort"), read_cohort, gaps),
        ),
        tuple(gaps),
    )


def _inputs(resources: Sequence[Any], kind: str) -> list[Mapping[str, Any]]:
    return [each.get("inputs") or {} for each in resources if each.get("type") == kind]


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnansweredError(f"{path.name} cannot be read: {error.strerror}") from None
    if len(content) > _LARGEST:
        raise UnansweredError(f"{path.name} is larger than {_LARGEST // 2**20} MiB")
    return content


def _run(root: Path, stack: str) -> bytes:
    command = [PULUMI, "stack", "export", "--stack", stack, "--non-interactive"]
    try:
        done = subprocess.run(  # noqa: S603
            command, cwd=root, capture_output=True, check=False, timeout=_TIMEOUT_S
        )
    except FileNotFoundError:
        raise UnansweredError("there is no pulumi on the path") from None
    except subprocess.TimeoutExpired:
        raise UnansweredError(f"pulumi did not answer within {_TIMEOUT_S:.0f} s") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["it does not say why"]
        raise UnansweredError(f"pulumi refused: {said[0][:200]}", remedy=f"pulumi stack export -s {stack}")
    return done.stdout
