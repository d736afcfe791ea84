"""The provider's own configuration: which keys there are, what they mean, and which change replaces all."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from sandbox.kubernetes.differences import Mutability
from sandbox.kubernetes.kubeconfig import KubeconfigError, find_cluster, parse_kubeconfig
from sandbox.kubernetes.validation import Problem
from sandbox.provider.wire import UNKNOWN, reveal

# Source: the inputs of pulumi_kubernetes.Provider 4.34.2, read 2026-11-21.
_KEYS: Final = frozenset(
    {
        "alwaysRender",
        "cluster",
        "clusterIdentifier",
        "context",
        "deleteUnreachable",
        "enableConfigMapMutable",
        "enablePatchForce",
        "enableSecretMutable",
        "enableServerSideApply",
        "helmReleaseSettings",
        "kubeClientSettings",
        "kubeconfig",
        "namespace",
        "renderYamlToDirectory",
        "skipUpdateUnreachable",
        "strictMode",
        "suppressDeprecationWarnings",
        "suppressHelmHookWarnings",
        "upsertExistingObjects",
    }
)
# Keys the engine adds for itself.
_ENGINE_KEYS: Final = frozenset({"version", "pluginDownloadURL", "parameterization", "__internal"})
_IDENTIFIER: Final = "clusterIdentifier"
_WHICH_CLUSTER: Final = ("kubeconfig", "context", "cluster")
_STRICT: Final = Mutability()
# What stands in for a key that is not given. Source: provider/pkg/provider/provider.go of pulumi-kubernetes,
# read 2026-11-21.
_UNREACHABLE_VARIABLES: Final = {
    "deleteUnreachable": "PULUMI_K8S_DELETE_UNREACHABLE",
    "skipUpdateUnreachable": "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE",
}


@dataclass(frozen=True)
class Settings:
    """What the provider was told."""

    kubeconfig: str = ""
    context: str = ""
    cluster: str = ""
    cluster_identifier: str = ""
    namespace: str = ""
    delete_unreachable: bool = False
    skip_unreachable: bool = False
    patch_force: bool = False
    upsert: bool = False
    mutability: Mutability = _STRICT


@dataclass(frozen=True)
class ProviderChange:
    """The keys of the configuration that change, and those whose change replaces the provider."""

    changed: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()


def check_configuration(values: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with the configuration: unknown keys, and what the sandbox cannot do."""
    for name, value in reveal(dict(values)).items():
        if name not in _KEYS | _ENGINE_KEYS:
            nearest = get_close_matches(name, _KEYS, n=1)
            hint = f"; did you mean '{nearest[0]}'?" if nearest else ""
            yield Problem(name, f"unexpected property '{name}'{hint}")
        elif name == "renderYamlToDirectory" and value:
            yield Problem(name, "the sandbox renders no YAML: leave it out here")
        elif name == "enableServerSideApply" and value is not UNKNOWN and not _is_true(value):
            yield Problem(name, "the sandbox applies on the server's side only: leave it out or true")


def read_settings(values: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of a configuration, whose values are texts where the engine sends them so.

    Where there is no such key, the environment says what to do with a cluster that does not answer.
    """
    plain = {key: environment.get(name) for key, name in _UNREACHABLE_VARIABLES.items()} | reveal(
        dict(values)
    )

    def text(name: str) -> str:
        value = plain.get(name)
        return json.dumps(value) if isinstance(value, dict) else str(value or "")

    def flag(name: str) -> bool:
        return _is_true(plain.get(name))

    return Settings(
        text("kubeconfig"),
        text("context"),
        text("cluster"),
        text(_IDENTIFIER),
        text("namespace"),
        flag("deleteUnreachable"),
        flag("skipUpdateUnreachable"),
        flag("enablePatchForce"),
        flag("upsertExistingObjects"),
        Mutability(flag("enableConfigMapMutable"), flag("enableSecretMutable")),
    )


def _is_true(value: Any) -> bool:
    return value is True or value == "true"


def diff_configuration(olds: Mapping[str, Any], news: Mapping[str, Any]) -> ProviderChange:
    """What a change of the configuration does.

    Another cluster replaces the provider, and with it all that is on it: another `clusterIdentifier`, or,
    where none is given, a kubeconfig that is unknown or means another cluster.
    Source: DiffConfig in pulumi-kubernetes provider/pkg/provider/provider.go, read 2026-11-21.
    """
    old, new = reveal(dict(olds)), reveal(dict(news))
    changed = tuple(
        sorted(key for key in {*old, *new} - _ENGINE_KEYS if _differs(old.get(key), new.get(key)))
    )
    if not changed:
        return ProviderChange()
    before, after = old.get(_IDENTIFIER), new.get(_IDENTIFIER)
    if before and after:
        return ProviderChange(changed, (_IDENTIFIER,) if _IDENTIFIER in changed else ())
    unknown = tuple(key for key in _WHICH_CLUSTER if new.get(key) is UNKNOWN)[:1]
    if unknown or not _means_another(old, new):
        return ProviderChange(changed, unknown)
    return ProviderChange(changed, tuple(key for key in _WHICH_CLUSTER if key in changed))


def _differs(old: Any, new: Any) -> bool:
    return new is UNKNOWN or old != new


def _means_another(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    clusters = [_active_cluster(each) for each in (old, new)]
    return None not in clusters and clusters[0] != clusters[1]


def _active_cluster(values: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        config = parse_kubeconfig(values.get("kubeconfig"))
    except KubeconfigError:
        return None
    return find_cluster(config, values.get("context") or "", values.get("cluster") or "")
