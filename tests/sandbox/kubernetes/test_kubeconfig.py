"""Which cluster a kubeconfig means, and with what credentials."""

import base64
import json

import pytest

from sandbox.kubernetes.kubeconfig import KubeconfigError, find_cluster, parse_kubeconfig, read_access
from tests.sandbox.kubernetes.conftest import kubeconfig


def encode(text):
    return base64.b64encode(text.encode()).decode()


def test_it_is_read_from_text_from_an_object_and_from_a_file(tmp_path):
    text = kubeconfig()
    path = tmp_path / "config"
    path.write_text(text)
    yaml_text = "current-context: here\n" + "contexts: []\n"
    assert parse_kubeconfig(text) == parse_kubeconfig(json.loads(text)) == parse_kubeconfig(str(path))
    assert parse_kubeconfig(yaml_text) == {"current-context": "here", "contexts": []}
    assert parse_kubeconfig("") == {}


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("/does/not/exist", "cannot be read"),
        ("{a", "neither YAML nor JSON"),
        ("- a\n- b\n", "holds no object"),
    ],
)
def test_what_is_none_is_refused_with_the_cause(text, cause):
    with pytest.raises(KubeconfigError, match=cause):
        parse_kubeconfig(text)


def test_the_current_context_names_the_cluster_unless_another_is_named():
    config = json.loads(kubeconfig())
    config["contexts"].append({"name": "there", "context": {"cluster": "two"}})
    config["clusters"].append({"name": "two", "cluster": {"server": "https://two"}})
    assert find_cluster(config) == {"server": "https://kubernetes.example"}
    assert find_cluster(config, context="there") == {"server": "https://two"}
    assert find_cluster(config, cluster="two") == {"server": "https://two"}
    assert find_cluster(config, context="nowhere") is None


def test_certificates_stand_in_it_or_in_files(tmp_path):
    (tmp_path / "key").write_text("KEY")
    user = {"client-certificate-data": encode("CERTIFICATE"), "client-key": str(tmp_path / "key")}
    access = read_access(json.loads(kubeconfig(**user)))
    assert (access.certificate, access.key, access.token) == ("CERTIFICATE", "KEY", None)
    assert access.namespace == "default"


def test_a_token_stands_in_it_or_in_a_file(tmp_path):
    (tmp_path / "token").write_text("abc\n")
    assert read_access(json.loads(kubeconfig(token="x"))).token == "x"
    assert read_access(json.loads(kubeconfig(tokenFile=str(tmp_path / "token")))).token == "abc"


def test_a_context_without_a_cluster_is_refused():
    with pytest.raises(KubeconfigError, match="names no cluster"):
        read_access({"current-context": "x"})
