"""The control plane: starts etcd, the API server, the controller manager and Kueue, and ends them."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from headroom.planning.kueue_release import NAMESPACE
from sandbox.control_plane import kueue, servers
from sandbox.control_plane.api import Api, ApiError
from sandbox.control_plane.certificates import CertificateAuthority, create_signing_key
from sandbox.control_plane.definitions import NAMESPACES, load_definitions
from sandbox.control_plane.kubeconfig import write_kubeconfig, write_token_kubeconfig
from sandbox.control_plane.processes import Server, Watch, find_free_ports, is_listening
from sandbox.engine.errors import SandboxError
from sandbox.tools.catalog import find_module_folder, locate_binaries, locate_binary

START_TIMEOUT_S = 60.0
# Kueue's webhook takes it, and it changes nothing.
PROBE = {"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "ResourceFlavor", "metadata": {"name": "probe"}}

Progress = Callable[[str], None]


class ControlPlane:
    """A Kubernetes API with Kueue behind loopback ports, there between `with` and its end.

    `kueue_values` are the values of Kueue's chart; where they are None Kueue is not installed.
    `progress` gets lines for a person to read. Entering raises SandboxError, with the end of the log of the
    server concerned, where something does not start.
    """

    def __init__(self, kueue_values: Mapping[str, Any] | None, progress: Progress = lambda _: None) -> None:
        self._values = kueue_values
        self._progress = progress

    def __enter__(self) -> "ControlPlane":
        self._locate_binaries()
        self.ports = servers.Ports(*find_free_ports(6))
        self.folder = Path(tempfile.mkdtemp(prefix="headroom-control-plane-"))
        self._watch = Watch()
        self._watch.remove_folder_later(self.folder)
        try:
            self._write_files()
            self._start()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of an administrator, who may do everything."""
        return self._files.kubeconfig("admin")

    @property
    def kueue_metrics_url(self) -> str:
        """Where Kueue's metrics are; they want the token of an account that may read `/metrics`."""
        return f"https://127.0.0.1:{self.ports.kueue_metrics}/metrics"

    def kubeconfig_for(self, user: str, groups: Iterable[str] = ()) -> Path:
        """The kubeconfig of a user such as `ann@acme.example`, who is a member of `groups`."""
        pair = self._authority.sign_user(user, groups)
        path = self.folder / "users" / f"{_file_name(user, *groups)}.kubeconfig"
        return write_kubeconfig(path, self.ports.api, self._authority.pair.certificate, pair)

    def kubeconfig_for_account(self, namespace: str, account: str) -> Path:
        """The kubeconfig of a service account that exists, by a token."""
        token = self.create_token(namespace, account)
        path = self.folder / "users" / f"{_file_name(namespace, account)}.kubeconfig"
        return write_token_kubeconfig(path, self.ports.api, self._authority.pair.certificate, token)

    def create_token(self, namespace: str, account: str) -> str:
        """A token of the service account, good for an hour; raises ApiError where there is no account."""
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        return self.api.call("POST", path, request)["status"]["token"]

    def log(self, server: str) -> Path:
        """The log of `etcd`, `api-server`, `controller-manager` or `kueue`."""
        return self.folder / f"{server}.log"

    def start_api_server(self) -> None:
        """Start the API server, on the port and with the data it had before, and wait until it answers."""
        command = servers.api_server_command(self._binaries["kube-apiserver"], self._files, self.ports)
        self._api_server.start(command)
        self._api_server.wait_ready(START_TIMEOUT_S)

    def stop_api_server(self, *, kill: bool = False) -> None:
        """End the API server; `kill` gives it no time to finish what it is doing."""
        self._api_server.stop(kill=kill)

    def start_kueue(self) -> None:
        """Start Kueue and wait until its webhooks answer."""
        release = self._require_release()
        arguments = kueue.adapt_arguments(release.arguments)
        self._kueue.start(servers.kueue_command(self._binaries["kueue"], self._files, arguments))
        self._kueue.wait_ready(START_TIMEOUT_S)

    def stop_kueue(self, *, kill: bool = False) -> None:
        """End Kueue; its objects and webhooks stay, so what they concern is refused meanwhile."""
        self._require_release()
        self._kueue.stop(kill=kill)

    def _locate_binaries(self) -> None:
        self._binaries = locate_binaries("kubernetes", self._progress)
        if self._values is not None:
            self._binaries |= locate_binaries("kueue", self._progress)
            self._binaries["helm"] = locate_binary("helm", self._progress)

    def _write_files(self) -> None:
        self._authority = CertificateAuthority("headroom-sandbox")
        pki = self.folder / "pki"
        authority, _ = self._authority.pair.write(pki, "authority")
        serving = self._authority.sign_server(["kubernetes.default.svc", "localhost"], ["127.0.0.1"])
        certificate, key = serving.write(pki, "api-server")
        account_key = pki / "accounts.key"
        account_key.write_bytes(create_signing_key())
        self._files = servers.Files(self.folder, authority, certificate, key, account_key)
        admin = self._authority.sign_user("admin", ["system:masters"])
        users = {
            "admin": admin,
            "controller-manager": self._authority.sign_user(
                "system:kube-controller-manager", ["system:masters"]
            ),
            "kueue": self._authority.sign_user(kueue.ACCOUNT, kueue.ACCOUNT_GROUPS),
        }
        for name, pair in users.items():
            path = self._files.kubeconfig(name)
            write_kubeconfig(path, self.ports.api, self._authority.pair.certificate, pair)
        self.api = Api(self.ports.api, authority, *admin.write(pki, "admin"))

    def _start(self) -> None:
        self._make_servers()
        self._etcd.start(servers.etcd_command(self._binaries["etcd"], self._files, self.ports))
        self._etcd.wait_ready(START_TIMEOUT_S)
        self.start_api_server()
        definitions = load_definitions()
        for definition in definitions:
            self.api.create(definition)
        for name in NAMESPACES:
            self.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        if self._values is not None:
            self._install_kueue(self._values)
        manager = self._binaries["kube-controller-manager"]
        self._controller_manager.start(servers.controller_manager_command(manager, self._files))
        if self._values is not None:
            self.start_kueue()
        self.api.wait_established(definitions, START_TIMEOUT_S)
        self._controller_manager.wait_ready(START_TIMEOUT_S)
        self._progress(f"the control plane is ready: {self.kubeconfig}")

    def _make_servers(self) -> None:
        def make(name: str, is_ready: Callable[[], bool]) -> Server:
            return Server(name, self.log(name), self._watch, is_ready)

        self._etcd = make("etcd", lambda: is_listening(self.ports.etcd))
        self._api_server = make("api-server", self.api.is_ready)
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        self._controller_manager = make("controller-manager", lambda: self.api.exists(account))
        self._kueue = make("kueue", self._is_kueue_ready)

    def _install_kueue(self, values: Mapping[str, Any]) -> None:
        chart = find_module_folder("sigs.k8s.io/kueue") / "charts" / "kueue"
        self._release = kueue.read_release(kueue.render_chart(self._binaries["helm"], chart, values))
        authority, server = kueue.create_certificates()
        folder = self.folder / "kueue-certificates"
        server.write(folder, "tls")
        configuration = kueue.adapt_configuration(self._release.configuration, self.ports, folder)
        (self.folder / "kueue.json").write_text(json.dumps(configuration, indent=2), encoding="utf-8")
        objects = list(
            kueue.adapt_objects(self._release.objects, self.ports.kueue_webhook, authority, server)
        )
        self.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        for each in objects:
            self.api.create(each)
        definitions = [each for each in objects if each["kind"] == "CustomResourceDefinition"]
        self.api.wait_established(definitions, START_TIMEOUT_S)

    def _is_kueue_ready(self) -> bool:
        if not is_listening(self.ports.kueue_webhook):
            return False
        try:
            self.api.apply(PROBE, dry_run=True)
        except ApiError:
            return False
        return True

    def _require_release(self) -> kueue.Release:
        if self._values is None:
            raise SandboxError("this control plane has no Kueue: give its chart's values")
        return self._release

    def _close(self) -> None:
        for name in ("_kueue", "_controller_manager", "_api_server", "_etcd"):
            if server := getattr(self, name, None):
                server.stop(kill=True)
        if api := getattr(self, "api", None):
            api.close()
        self._watch.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _file_name(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:16]
