"""What a job of the platform's own may be: the catalog's, from an image by digest, on no accelerator."""

import re
from collections.abc import Iterator
from typing import Any

from headroom.planning.operations import find_amounts, list_arguments
from policies.property_rules import show_value
from policies.resources import ABSENT, UNKNOWN, Resource, each, read

_POD = ("spec", "jobTemplate", "spec", "template", "spec")
_BY_DIGEST = re.compile(r"[^\s@]+@sha256:[0-9a-f]{64}")
_HOST = ("hostIPC", "hostNetwork", "hostPID")
_VOLUMES = frozenset(("name", "configMap", "emptyDir"))
_NOTHING = (ABSENT, [], {})


def find_changes(job: Resource, name: str, stack: str) -> Iterator[str]:
    """Yield in which ways a CronJob is other than the catalog's job of that name, in an environment.

    Where anything is not known, it is other.
    """
    pod = job.read(*_POD)
    containers = each(read(pod, "containers"))
    if len(containers) != 1 or containers[0] is UNKNOWN or _has_more(pod):
        yield "its pods have other containers than the one agreed to"
    for container in containers:
        yield from _find_in_container(container, name, stack)
    for key in ("serviceAccountName", "serviceAccount"):
        account = read(pod, key)
        if account != name and not (key == "serviceAccount" and account is ABSENT):
            yield f"its {key} is {show_value(account)}, and agreed to is {name}"
    yield from _find_rights(pod)


def _has_more(pod: Any) -> bool:
    return any(read(pod, key) not in _NOTHING for key in ("initContainers", "ephemeralContainers"))


def _find_in_container(container: Any, name: str, stack: str) -> Iterator[str]:
    image = read(container, "image")
    if not (isinstance(image, str) and _BY_DIGEST.fullmatch(image)):
        yield f"its image is {show_value(image)}, which names no digest"
    if read(container, "command") not in _NOTHING:
        yield f"its command is {show_value(read(container, 'command'))}, and agreed to is the image's own"
    agreed, arguments = list(list_arguments(name, stack)), read(container, "args")
    if arguments != agreed:
        yield f"its args are {show_value(arguments)}, and agreed to are {agreed}"
    cpu, memory = find_amounts(name)
    amounts = {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": memory}}
    if read(container, "resources") != amounts:
        shown = show_value(read(container, "resources"))
        yield f"its resources are {shown}, and agreed to are {amounts}"


def _find_rights(pod: Any) -> Iterator[str]:
    """What a pod has of its node, and devices that it draws beside its resources."""
    for key in _HOST:
        if read(pod, key) not in (ABSENT, False):
            yield f"its {key} is {show_value(read(pod, key))}"
    for key in ("resources", "resourceClaims"):
        if read(pod, key) not in _NOTHING:
            yield f"its pods have {key} of their own"
    for container in each(read(pod, "containers")):
        context = read(container, "securityContext")
        if read(context, "privileged") not in (ABSENT, False):
            yield "its container is privileged"
        if (
            read(context, "allowPrivilegeEscalation") is not False
            or read(context, "capabilities", "add") not in _NOTHING
        ):
            yield "its container may get more rights than it has"
    volumes = read(pod, "volumes")
    if any(not isinstance(volume, dict) or volume.keys() - _VOLUMES for volume in _items(volumes)):
        yield "it mounts other volumes than ConfigMaps and empty ones, such as the node's"


def _items(value: Any) -> Any:
    return [UNKNOWN] if value is UNKNOWN else each(value)
