"""What is scraped, as whose metrics, and the Pushgateway that carries those of batch jobs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi

from headroom.planning.collection import (
    NAMESPACE,
    STALE_DAYS,
    VOLUME_TYPE,
    CollectionPlan,
    Relabeling,
)
from headroom.spec.base import POOL_LABEL
from infra.components.base import Scope
from infra.components.cluster_access import ClusterAccess, ClusterComponent, Manifest, read_manifests
from infra.components.encryption import Encryption
from infra.components.queues import Queues

_TIDY = Path(__file__).resolve().parent.parent / "manifests" / "collection" / "tidy.sh"


class Collection(ClusterComponent):
    """The targets of managed collection, the token for Kueue's, and the Pushgateway with its volume."""

    def __init__(
        self,
        scope: Scope,
        plan: CollectionPlan,
        encryption: Encryption,
        access: ClusterAccess,
        queues: Queues,
    ) -> None:
        super().__init__("Collection", scope, access)
        self._plan = plan
        token = self._access_kueue(queues)
        rules = {
            "headroom-pipelines": plan.pipelines,
            "headroom-kueue": plan.kueue,
            "headroom-pushgateway": plan.pushed,
        }
        for target in read_manifests("collection/targets.yaml"):
            name = target["metadata"]["name"]
            target["spec"]["endpoints"][0]["metricRelabeling"] = [_relabel(rule) for rule in rules[name]]
            self.apply(
                f"scrape-{name.removeprefix('headroom-')}", target, token if name == "headroom-kueue" else ()
            )
        self._pushgateway(encryption)
        self.register_outputs({})

    def _access_kueue(self, queues: Queues) -> list[Manifest]:
        """The account first: Kubernetes deletes a token whose account is not there."""
        account, *others = (
            (f"{manifest['kind'].lower()}-kueue-metrics", manifest)
            for manifest in read_manifests("collection/kueue-access.yaml")
        )
        first = self.apply(*account, [queues.release])
        return [first, *(self.apply(*each, [queues.release, first]) for each in others)]

    def _pushgateway(self, encryption: Encryption) -> None:
        namespace, *objects = read_manifests("collection/pushgateway.yaml")
        # Its disk would outlive the cluster, which knows no more that it is to be deleted.
        place = self.apply(f"namespace-{NAMESPACE}", namespace, goes_first=True)
        before = [self.apply("storage-pushgateway", _storage(encryption)), self._tidying(place)]
        for manifest in objects:
            is_server = manifest["kind"] == "StatefulSet"
            if is_server:
                self._place(manifest["spec"]["template"]["spec"])
            self.apply(
                f"{manifest['kind'].lower()}-pushgateway", manifest, [place, *(before if is_server else ())]
            )

    def _tidying(self, place: Manifest) -> Manifest:
        return self.apply(
            "tidy-pushgateway",
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "pushgateway", "namespace": NAMESPACE},
                "data": {
                    "tidy.sh": _TIDY.read_text(encoding="utf-8"),
                    "pipelines": "".join(f"{name}\n" for name in self._plan.names),
                    "seconds": str(STALE_DAYS * 86_400),
                },
            },
            [place],
        )

    def _place(self, pod: dict[str, Any]) -> None:
        key, value = self._plan.taint
        pod["nodeSelector"] = {POOL_LABEL: self._plan.pool}
        pod["tolerations"] = [{"key": key, "operator": "Equal", "value": value}]
        for container in pod["containers"]:
            container["image"] = self._plan.image


def _relabel(rule: Relabeling) -> dict[str, Any]:
    fields: Mapping[str, Sequence[str]] = {
        "sourceLabels": list(rule.source),
        "regex": rule.regex,
        "targetLabel": rule.target,
        "replacement": rule.replacement,
    }
    return {"action": rule.action} | {key: value for key, value in fields.items() if value}


def _storage(encryption: Encryption) -> dict[str, pulumi.Input[Any]]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": NAMESPACE},
        "provisioner": "pd.csi.storage.gke.io",
        "parameters": {"type": VOLUME_TYPE, "disk-encryption-kms-key": encryption.disk_key.id},
        "volumeBindingMode": "WaitForFirstConsumer",
        "reclaimPolicy": "Delete",
    }
