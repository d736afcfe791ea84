"""The way into the cluster, and what all objects in it have in common."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from infra.components.base import Component, Scope
from infra.components.cluster import Cluster
from infra.components.node_pools import NodePools

_MANIFESTS = Path(__file__).resolve().parent.parent / "manifests"


class ClusterAccess(Component):
    """The Kubernetes provider. Whoever runs the program is asked for a token each time; none is kept."""

    def __init__(self, scope: Scope, cluster: Cluster, pools: NodePools) -> None:
        super().__init__("ClusterAccess", scope)
        self.cluster = cluster.cluster
        self.provider = self.own(
            kubernetes.Provider(
                scope.name("kubernetes"),
                kubeconfig=cluster.endpoint.apply(_kubeconfig),
                # Without it a kubeconfig that is not known yet would replace the provider, and all it made.
                cluster_identifier=f"{scope.project}/{scope.region}/{scope.name('cluster')}",
                enable_server_side_apply=True,
                opts=pulumi.ResourceOptions(parent=self, depends_on=list(pools.system)),
            )
        )
        self.register_outputs({})


class Manifest(pulumi.CustomResource):
    """A Kubernetes object of any kind, of the type that the provider of `pulumi_kubernetes` serves.

    A class for each kind would take longer to load and say no more than the manifest.
    """

    def __init__(self, name: str, manifest: Mapping[str, Any], opts: pulumi.ResourceOptions) -> None:
        group = manifest["apiVersion"]
        super().__init__(
            f"kubernetes:{group if '/' in group else f'core/{group}'}:{manifest['kind']}",
            name,
            dict(manifest),
            pulumi.ResourceOptions.merge(pulumi.ResourceOptions(version=_provider_version()), opts),
        )


class ClusterComponent(Component):
    """A component whose children live in the cluster, and go with it."""

    def __init__(self, kind: str, scope: Scope, access: ClusterAccess) -> None:
        super().__init__(kind, scope, access.provider)
        self._cluster = access.cluster

    def apply(
        self,
        name: str,
        manifest: Mapping[str, Any],
        depends_on: Sequence[pulumi.Resource] = (),
        *,
        goes_first: bool = False,
    ) -> Manifest:
        """Return the object, registered as `<environment>-<name>`.

        `goes_first`: it is deleted before the cluster is, rather than with it.
        """
        return self.own(
            Manifest(
                self.scope.name(name),
                manifest,
                self.options(depends_on=depends_on, deleted_with=None if goes_first else self._cluster),
            )
        )

    def principal(
        self, project_number: pulumi.Output[str], namespace: str, account: str
    ) -> pulumi.Output[str]:
        """Return what IAM calls a service account of the cluster: no Google account stands in between."""
        project = self.scope.project
        return project_number.apply(
            lambda number: (
                f"principal://iam.googleapis.com/projects/{number}/locations/global/workloadIdentityPools/"
                f"{project}.svc.id.goog/subject/ns/{namespace}/sa/{account}"
            )
        )


def read_manifests(pattern: str) -> list[dict[str, Any]]:
    """Return the documents of the files of `infra/manifests` that match, in the order of their names."""
    return [
        document
        for path in sorted(_MANIFESTS.glob(pattern))
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]


def _kubeconfig(endpoint: str) -> str:
    """The DNS endpoint has a certificate that everybody trusts, and asks IAM who may come in."""
    command = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "gke-gcloud-auth-plugin",
        "provideClusterInfo": True,
        "interactiveMode": "Never",
        "installHint": "install it with `gcloud components install gke-gcloud-auth-plugin`",
    }
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "cluster",
            "clusters": [{"name": "cluster", "cluster": {"server": f"https://{endpoint}"}}],
            "users": [{"name": "user", "user": {"exec": command}}],
            "contexts": [{"name": "cluster", "context": {"cluster": "cluster", "user": "user"}}],
        }
    )


@cache
def _provider_version() -> str:
    return version("pulumi-kubernetes")
