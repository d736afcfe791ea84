import base64
import stat

import yaml

from sandbox.control_plane.certificates import KeyPair
from sandbox.control_plane.kubeconfig import write_kubeconfig, write_token_kubeconfig


def test_kubeconfig_holds_all_that_it_needs_and_is_its_owners_alone(tmp_path):
    path = write_kubeconfig(tmp_path / "users" / "ann", 6443, b"authority", KeyPair(b"key", b"certificate"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    document = yaml.safe_load(path.read_text())
    (cluster,), (user,), (context,) = (document[key] for key in ("clusters", "users", "contexts"))
    assert cluster["cluster"]["server"] == "https://127.0.0.1:6443"
    assert base64.b64decode(cluster["cluster"]["certificate-authority-data"]) == b"authority"
    assert base64.b64decode(user["user"]["client-key-data"]) == b"key"
    assert base64.b64decode(user["user"]["client-certificate-data"]) == b"certificate"
    assert context["context"] == {"cluster": cluster["name"], "user": user["name"]}
    assert document["current-context"] == context["name"]


def test_token_takes_the_place_of_a_certificate(tmp_path):
    path = write_token_kubeconfig(tmp_path / "account", 6443, b"authority", "secret")
    assert yaml.safe_load(path.read_text())["users"][0]["user"] == {"token": "secret"}
