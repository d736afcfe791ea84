import base64
import copy
import json
from pathlib import Path

import pytest

from headroom.planning.kueue_release import kueue_configuration
from sandbox.control_plane import kueue
from sandbox.control_plane.certificates import KeyPair
from sandbox.control_plane.servers import Files, Ports, kueue_command
from sandbox.engine.errors import SandboxError

PORTS = Ports(1, 2, 3, 4, 5, 6)
PAIR = KeyPair(b"key", b"certificate")
SERVICE = {"name": "kueue-webhook-service", "namespace": "kueue-system", "path": "/convert"}
OBJECTS = [
    {"kind": "Deployment", "metadata": {"name": "kueue-controller-manager"}, "spec": {"template": {"spec": {
        "containers": [{"args": ["--config=/controller_manager_config.yaml", "--zap-log-level=2        "]}]}}}},
    {"kind": "ConfigMap", "metadata": {"name": "kueue-manager-config"},
     "data": {"controller_manager_config.yaml": json.dumps(kueue_configuration())}},
    {"kind": "APIService", "metadata": {"name": "v1beta2.visibility.kueue.x-k8s.io"}},
    {"kind": "Service", "metadata": {"name": "kueue-webhook-service"}, "spec": {"ports": [{"port": 443}]}},
    {"kind": "Service", "metadata": {"name": "kueue-visibility-server"}, "spec": {"ports": [{"port": 443}]}},
    {"kind": "Secret", "metadata": {"name": "kueue-webhook-server-cert"}},
    {"kind": "CustomResourceDefinition", "metadata": {"name": "cohorts.kueue.x-k8s.io"},
     "spec": {"conversion": {"webhook": {"clientConfig": {"service": SERVICE}}}}},
    {"kind": "MutatingWebhookConfiguration", "metadata": {"name": "kueue-mutating-webhook-configuration"},
     "webhooks": [{"clientConfig": {"service": SERVICE}, "namespaceSelector": {"matchLabels": {"a": "b"}}}]},
]  # fmt: skip


def test_release_is_the_charts_without_its_pod():
    release = kueue.read_release(OBJECTS)
    assert release.configuration == kueue_configuration()
    assert release.arguments == ("--zap-log-level=2",)
    assert {each["kind"] for each in release.objects}.isdisjoint({"Deployment", "APIService"})


def test_chart_of_another_form_is_refused():
    with pytest.raises(SandboxError, match="another form"):
        kueue.read_release(OBJECTS[1:])


def test_webhooks_lead_to_the_process_and_keep_whom_they_concern():
    before = copy.deepcopy(OBJECTS)
    adapted = {each["metadata"]["name"]: each for each in kueue.adapt_objects(OBJECTS, 7, PAIR, PAIR)}
    assert before == OBJECTS
    (hook,) = adapted["kueue-mutating-webhook-configuration"]["webhooks"]
    assert hook["clientConfig"]["service"] == {**SERVICE, "port": 7}
    assert hook["namespaceSelector"] == {"matchLabels": {"a": "b"}}
    conversion = adapted["cohorts.kueue.x-k8s.io"]["spec"]["conversion"]["webhook"]["clientConfig"]
    assert conversion["service"]["port"] == 7
    assert adapted["kueue-webhook-service"]["spec"] == {"type": "ExternalName", "externalName": "127.0.0.1"}
    assert adapted["kueue-visibility-server"]["spec"] == {"ports": [{"port": 443}]}


def test_certificate_lies_in_the_secret_that_kueue_reads():
    adapted = {each["metadata"]["name"]: each for each in kueue.adapt_objects(OBJECTS, 7, PAIR, PAIR)}
    data = adapted["kueue-webhook-server-cert"]["data"]
    assert {name: base64.b64decode(value) for name, value in data.items()} == {
        "ca.crt": b"certificate",
        "ca.key": b"key",
        "tls.crt": b"certificate",
        "tls.key": b"key",
    }


def test_configuration_differs_from_the_platforms_in_addresses_and_election_alone():
    platform = kueue_configuration()
    adapted = kueue.adapt_configuration(platform, PORTS, Path("/certificates"))
    changed = {key for key in adapted if adapted[key] != platform.get(key)}
    assert changed == {"health", "metrics", "webhook", "leaderElection"}
    assert adapted["metrics"] == {**platform["metrics"], "bindAddress": "127.0.0.1:5"}
    assert adapted["webhook"]["certDir"] == "/certificates"
    assert adapted["leaderElection"]["leaderElect"] is False
    assert platform.keys() <= adapted.keys()


def test_feature_gates_of_the_chart_stay_except_the_visibility_server(tmp_path):
    arguments = kueue.adapt_arguments(["--zap-log-level=2", "--feature-gates=A=true,VisibilityOnDemand=true"])
    assert arguments == ["--zap-log-level=2", "--feature-gates=A=true,VisibilityOnDemand=false"]
    assert kueue.adapt_arguments([]) == ["--feature-gates=VisibilityOnDemand=false"]
    files = Files(tmp_path, *[tmp_path] * 4)
    command = kueue_command(Path("/bin/kueue"), files, arguments)
    assert command[0] == "/bin/kueue"
    assert command[-2:] == [f"--config={tmp_path}/kueue.json", f"--kubeconfig={tmp_path}/kueue.kubeconfig"]


def test_refused_values_are_one_message(tmp_path):
    helm = tmp_path / "helm"
    helm.write_text("#!/bin/sh\ncat > /dev/null\necho 'Error: no such value' >&2\nexit 1\n")
    helm.chmod(0o755)
    with pytest.raises(SandboxError, match="Kueue's chart cannot be rendered: Error: no such value"):
        kueue.render_chart(helm, tmp_path, {})
