"""The rule that Kueue is there, and holds all work to the queues as it was planned to."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from headroom.planning.kueue_release import (
    CHART,
    VERSION,
    kueue_configuration,
    kueue_values,
    plan_kueue,
)
from policies.model import Model
from policies.production_rules import HELM_RELEASE, is_kueue
from policies.resources import ABSENT, UNKNOWN, Missing, Resource, has_unknown
from policies.rules import Found, Rule
from policies.settings import Settings

_KEEP = "keep infra's release of Kueue"
_MANAGER = ("controllerManager", "manager")
_CONFIGURATION = ("values", "managerConfig", "controllerManagerConfigYaml")
_WAYS_AROUND = (("valueYamlFiles",), ("postrender",), ("repositoryOpts", "repo"))
"""What else decides which objects Helm makes of a chart, so that its values do not say it."""


def _check_kueue(model: Model, _: Settings) -> Iterator[Found]:
    if not model.queues:
        return
    releases = [release for release in model.of(HELM_RELEASE) if is_kueue(release)]
    held = [release for release in releases if release.read("chart") == CHART]
    if not held:
        yield "kueue", f"there is no release of it ({CHART}), so nobody holds anybody to a queue", _KEEP
    for release in releases:
        if release not in held:
            yield release, f"its chart is {_shown(release.read('chart'))}, and Kueue's is {CHART}", _KEEP
    for release in held:
        yield from _check_release(release)
        yield from _check_values(release)
        yield from _check_configuration(release)


def _check_release(release: Resource) -> Iterator[Found]:
    version = release.read("version")
    if not isinstance(version, str) or version.removeprefix("v") != VERSION:
        yield release, f"its version is {_shown(version)}, and the rules were read in {VERSION}", _KEEP
    replicas = release.read("values", "controllerManager", "replicas")
    if replicas is not ABSENT and not (isinstance(replicas, int | float) and replicas >= 1):
        yield release, f"its replicas are {_shown(replicas)}, so nobody admits or refuses anything", _KEEP
    for path in _WAYS_AROUND:
        if release.read(*path) not in (ABSENT, "", []):
            yield release, f"has {'.'.join(path)}, which changes it behind its values", "remove it"


def _check_values(release: Resource) -> Iterator[Found]:
    """A value that nobody planned may be another image, or one more manager without limits."""
    planned = kueue_values(plan_kueue(0, "", ("", "")))
    for path in ((), _MANAGER[:1], _MANAGER):
        found, expected = release.read("values", *path), _at(planned, path)
        if found is UNKNOWN:
            yield release, f"its {'.'.join(('values', *path))} are {UNKNOWN.value}", "write them out"
        for key in found if isinstance(found, Mapping) else ():
            if key not in expected:
                yield release, f"sets {'.'.join((*path, key))}, which no plan has", "remove it"


def _at(values: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        values = values[key]
    return values


def _check_configuration(release: Resource) -> Iterator[Found]:
    text = release.read(*_CONFIGURATION)
    if not isinstance(text, str):
        yield release, f"its configuration is {_shown(text)}, so work may pass it by", _KEEP
        return
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        found = None
    if not isinstance(found, Mapping):
        yield release, "its configuration is not YAML that Kueue could read", _KEEP
        return
    planned = kueue_configuration()
    for key in sorted(planned.keys() | set(map(str, found))):
        if found.get(key) != planned.get(key):
            message = (
                f"its {key} is {_shown(found.get(key, ABSENT))}, and planned is {planned.get(key, 'nothing')}"
            )
            yield release, message, _KEEP


def _shown(value: Any) -> str:
    if has_unknown(value):
        return UNKNOWN.value
    return value.value if isinstance(value, Missing) else str(value)


KUEUE_RULES = (
    Rule(
        name="queues-are-held",
        description="Where there are queues, Kueue is there as planned, to hold work to them.",
        family="operations",
        severity="critical",
        reference="Q3",
        remedy="Keep the release of Kueue.",
        of_stack=_check_kueue,
    ),
)
