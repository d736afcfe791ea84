import re

import pytest

from headroom.planning import kueue_release
from sandbox.control_plane.definitions import SOURCES
from sandbox.engine.errors import SandboxError
from sandbox.tools.__main__ import main
from sandbox.tools.catalog import FOLDER, MANIFEST_FOLDERS, find_module_folder, load_tools, require_tool
from sandbox.tools.go_build import load_requirement


@pytest.mark.parametrize("tool", load_tools().values(), ids=lambda tool: tool.name)
def test_module_files_name_and_vouch_for_what_is_built(tool):
    text, sums = (tool.folder / "go.mod").read_text(), (tool.folder / "go.sum").read_text()
    modules = re.findall(r"^\t?(?:require )?(\S+) (v\S+)", text, re.MULTILINE)
    for package in tool.binaries.values():
        assert re.search(rf"^(tool )?\s*{re.escape(package)}$", text, re.MULTILINE)
        assert any(
            (package == module or package.startswith(f"{module}/")) and f"{module} {version} h1:" in sums
            for module, version in modules
        )


def test_folders_with_module_files_are_all_used():
    folders = {path.parent.name for path in FOLDER.glob("*/go.mod")}
    assert folders == {*load_tools(), *MANIFEST_FOLDERS}


def test_kueue_is_the_version_that_the_platform_installs():
    assert load_requirement(FOLDER / "kueue", "sigs.k8s.io/kueue") == f"v{kueue_release.VERSION}"


def test_helm_answers_for_the_version_of_the_api_server():
    _, minor, _ = load_requirement(FOLDER / "kubernetes", "k8s.io/kubernetes").split(".")
    assert f"chartutil.k8sVersionMinor={minor}" in require_tool("helm").linker_flags


def test_prometheus_says_the_version_that_its_module_stands_for():
    """A module of v0.44.0 is 2.44.0, one of v0.315.0 is 3.15.0."""
    for name, release in (("promtool", "2.44.0"), ("prometheus", "3.15.0")):
        major, minor, patch = release.split(".")
        module = f"v0.{minor}.{patch}" if major == "2" else f"v0.{major}{minor}.{patch}"
        assert load_requirement(FOLDER / name, "github.com/prometheus/prometheus") == module
        assert f"Version={release}" in require_tool(name).linker_flags


def test_all_staging_modules_of_kubernetes_have_one_version():
    text = (FOLDER / "kubernetes" / "go.mod").read_text()
    replaced = re.findall(r"^\t(k8s\.io/\S+) => (\S+) (\S+)$", text, re.MULTILINE)
    version = load_requirement(FOLDER / "kubernetes", "k8s.io/kubernetes")
    assert len(replaced) > 30
    assert {(module == target, number) for module, target, number in replaced} == {
        (True, version.replace("v1.", "v0."))
    }


def test_binary_is_found_by_its_own_name_or_its_tools():
    assert require_tool("etcd").name == "kubernetes"
    assert require_tool("helm").name == "helm"
    with pytest.raises(SandboxError, match=r"no tool called 'kubectl'.*kubernetes, kueue, helm"):
        require_tool("kubectl")


@pytest.mark.parametrize("module", [module for module, _ in SOURCES])
def test_modules_whose_manifests_are_read_have_a_fixed_version(module, monkeypatch):
    monkeypatch.setattr("sandbox.tools.go_build.find_module_folder", lambda folder, name: folder / name)
    assert find_module_folder.__wrapped__(module).is_relative_to(FOLDER)


def test_module_without_a_fixed_version_is_refused():
    with pytest.raises(SandboxError, match=r"fixes the version of example.com/absent"):
        find_module_folder("example.com/absent")


def test_command_line_refuses_an_unknown_name_before_it_builds_anything(capsys, monkeypatch):
    monkeypatch.setattr("sandbox.tools.__main__.locate_binaries", lambda *_: pytest.fail("built"))
    assert main(["helm", "kubectl"]) == 2
    assert "there is no tool called 'kubectl'" in capsys.readouterr().err


def test_command_line_prints_where_the_binaries_are(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("sandbox.tools.__main__.locate_binaries", lambda name, _: {name: tmp_path / name})
    assert main(["helm"]) == 0
    assert capsys.readouterr().out == f"helm\t{tmp_path / 'helm'}\n"
    assert main([]) == 0
    assert "kube-apiserver" in capsys.readouterr().out
