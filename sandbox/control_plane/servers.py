"""Command lines of the servers, as the control plane runs them on one machine."""

from dataclasses import dataclass
from pathlib import Path

# Those that tests rely on, of what `kube-controller-manager --help` lists (1.36).
CONTROLLERS = (
    "clusterrole-aggregation-controller",
    "cronjob-controller",
    "deployment-controller",
    "disruption-controller",
    "endpointslice-controller",
    "garbage-collector-controller",
    "job-controller",
    "namespace-controller",
    "replicaset-controller",
    "resourcequota-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "statefulset-controller",
    "ttl-after-finished-controller",
    "validatingadmissionpolicy-status-controller",
)
ISSUER = "https://kubernetes.default.svc"
SERVICE_RANGE = "10.0.0.0/24"


@dataclass(frozen=True)
class Ports:
    """Ports on the loopback address."""

    etcd: int
    etcd_peer: int
    api: int
    kueue_health: int
    kueue_metrics: int
    kueue_webhook: int


@dataclass(frozen=True)
class Files:
    """Files of one control plane, all below `folder`."""

    folder: Path
    authority: Path
    api_certificate: Path
    api_key: Path
    account_key: Path

    def kubeconfig(self, user: str) -> Path:
        """Where the kubeconfig of a server or of the admin lies."""
        return self.folder / f"{user}.kubeconfig"


def etcd_command(binary: Path, files: Files, ports: Ports) -> list[str]:
    """Etcd that keeps nothing safe: its data live as long as the folder."""
    client, peer = (f"http://127.0.0.1:{port}" for port in (ports.etcd, ports.etcd_peer))
    return [
        str(binary),
        f"--data-dir={files.folder / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--log-level=error",
    ]


def api_server_command(binary: Path, files: Files, ports: Ports) -> list[str]:
    """The API server with its usual admission, RBAC, and users known by certificate.

    Admission of service accounts is off: without it a pod may be created before its namespace's account is.
    """
    return [
        str(binary),
        f"--etcd-servers=http://127.0.0.1:{ports.etcd}",
        "--bind-address=127.0.0.1",
        f"--secure-port={ports.api}",
        f"--tls-cert-file={files.api_certificate}",
        f"--tls-private-key-file={files.api_key}",
        f"--client-ca-file={files.authority}",
        f"--cert-dir={files.folder / 'api-server'}",
        "--authorization-mode=RBAC",
        f"--service-account-issuer={ISSUER}",
        f"--service-account-key-file={files.account_key}",
        f"--service-account-signing-key-file={files.account_key}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--disable-admission-plugins=ServiceAccount",
        # There are no nodes to reach the API server from, and a loopback address is refused as an endpoint.
        "--endpoint-reconciler-type=none",
        "--allow-privileged",
        "--profiling=false",
    ]


def controller_manager_command(binary: Path, files: Files) -> list[str]:
    """The controller manager with the controllers that tests rely on; it listens nowhere."""
    return [
        str(binary),
        f"--kubeconfig={files.kubeconfig('controller-manager')}",
        f"--controllers={','.join(CONTROLLERS)}",
        f"--service-account-private-key-file={files.account_key}",
        f"--root-ca-file={files.authority}",
        f"--cert-dir={files.folder / 'controller-manager'}",
        "--leader-elect=false",
        "--secure-port=0",
        # The defaults, 20 and 30, are for many clients; here they would be what tests measure.
        "--kube-api-qps=300",
        "--kube-api-burst=500",
    ]


def kueue_command(binary: Path, files: Files, arguments: list[str]) -> list[str]:
    """Kueue on its configuration file; `arguments` are those that the chart gives it."""
    return [
        str(binary),
        *arguments,
        f"--config={files.folder / 'kueue.json'}",
        f"--kubeconfig={files.kubeconfig('kueue')}",
    ]
