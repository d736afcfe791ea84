import json
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from sandbox.engine.errors import SandboxError
from sandbox.engine.python_environment import (
    find_requirements,
    list_packages,
    load_plugin_requirements,
    plan_install,
    require_python,
)


@pytest.fixture
def environment(tmp_path):
    """A folder laid out like a virtual environment, with one provider package."""
    folder = tmp_path / ".venv"
    packages = folder / "lib" / "python3.11" / "site-packages" / "pulumi_cloud"
    packages.mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(sys.executable)
    about = {"resource": True, "version": "1.2.3", "server": "https://plugins.example"}
    (packages / "pulumi-plugin.json").write_text(json.dumps(about))
    return folder


def test_named_environment_is_relative_to_the_project(tmp_path, environment):
    (tmp_path / "policies").mkdir()
    assert require_python(tmp_path, {"virtualenv": ".venv"}) == environment / "bin" / "python"
    assert require_python(tmp_path / "policies", {"virtualenv": "../.venv"}).samefile(
        environment / "bin" / "python"
    )


def test_without_the_option_the_interpreter_is_the_running_one(tmp_path):
    assert require_python(tmp_path, {}) == Path(sys.executable)


def test_absent_environment_is_an_error_with_the_remedy(tmp_path):
    with pytest.raises(SandboxError, match=r"\.venv is not there: run `pulumi install`"):
        require_python(tmp_path, {"virtualenv": ".venv"})


def test_plugins_are_those_that_installed_packages_declare(environment):
    (found,) = load_plugin_requirements(environment / "bin" / "python")
    assert (found.name, found.version, found.server) == ("cloud", "1.2.3", "https://plugins.example")


def test_plugin_of_the_running_environment_has_the_version_of_its_package():
    found = {each.name: each.version for each in load_plugin_requirements(Path(sys.executable))}
    assert found["gcp"] == version("pulumi-gcp")


def test_packages_are_listed_with_their_versions():
    assert ("pulumi", version("pulumi")) in list_packages(Path(sys.executable))


def test_requirements_are_sought_from_the_program_up_to_the_project(tmp_path):
    program = tmp_path / "project" / "infra"
    program.mkdir(parents=True)
    (tmp_path / "requirements.txt").touch()
    assert find_requirements(tmp_path / "project", program) is None
    (tmp_path / "project" / "requirements.txt").touch()
    assert find_requirements(tmp_path / "project", program) == tmp_path / "project" / "requirements.txt"
    (program / "requirements.txt").touch()
    assert find_requirements(tmp_path / "project", program) == program / "requirements.txt"


def test_install_makes_the_environment_once_and_fills_it(tmp_path, environment):
    (tmp_path / "requirements.txt").touch()
    fill = ["-m", "pip", "install", "--disable-pip-version-check", "-r", str(tmp_path / "requirements.txt")]
    options: dict[str, object] = {"virtualenv": "new"}
    assert plan_install(tmp_path, tmp_path, options) == [
        [sys.executable, "-m", "venv", str(tmp_path / "new")],
        [str(tmp_path / "new" / "bin" / "python"), *fill],
    ]
    assert plan_install(tmp_path, tmp_path, {"virtualenv": ".venv"}) == [
        [str(environment / "bin" / "python"), *fill]
    ]
