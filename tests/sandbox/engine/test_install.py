import subprocess
import sys
import threading
import time

import pytest

from sandbox.engine import install
from sandbox.engine.install import (
    HANDOVER,
    LANGUAGE_HOST,
    find_pulumi,
    install_official,
    locate_pulumi,
    parse_version,
    read_cli,
)

EXEC = "pulumi-language-python-exec"


@pytest.mark.parametrize(
    ("text", "version"),
    [("v3.259.0\n", (3, 259, 0)), ("3.300.1", (3, 300, 1)), ("v3.260.0-dev.4", (3, 260, 0)), ("no", None)],
)
def test_version_is_read_from_what_the_cli_prints(text, version):
    assert parse_version(text) == version


@pytest.mark.parametrize(("version", "usable"), [("v3.258.9", False), ("v3.259.0", True), ("v4.0.0", True)])
def test_cli_that_is_too_old_is_passed_over(tmp_path, clean_path, make_cli, version, usable):
    assert (read_cli(make_cli(tmp_path / "a", version, (LANGUAGE_HOST,)), "PATH") is not None) is usable


def test_cli_that_can_run_no_python_program_is_passed_over(tmp_path, clean_path, make_cli):
    assert read_cli(make_cli(tmp_path / "bare"), "PATH") is None


def test_cli_that_does_not_run_is_passed_over(tmp_path, clean_path):
    broken = tmp_path / "pulumi"
    broken.write_text("not a program")
    assert read_cli(broken, "PATH") is None
    assert read_cli(tmp_path / "absent", "PATH") is None


def test_official_host_beside_the_cli_is_used(tmp_path, clean_path, make_cli):
    cli = read_cli(make_cli(tmp_path / "a", beside=(LANGUAGE_HOST,)), "PATH")
    assert cli is not None
    assert cli.language_host == tmp_path / "a" / LANGUAGE_HOST


def test_handover_beside_a_built_cli_is_not_taken_for_the_official_host(tmp_path, clean_path, make_cli):
    path = make_cli(tmp_path / "a", beside=(EXEC,))
    path.with_name(LANGUAGE_HOST).write_text(HANDOVER)
    cli = read_cli(path, "built")
    assert cli is not None
    assert cli.language_host is None


def test_cli_on_path_comes_before_the_cached_one(tmp_path, clean_path, make_cli):
    cached = install._official_folder() / "bin"
    make_cli(cached, beside=(LANGUAGE_HOST,))
    found = find_pulumi()
    assert found is not None
    assert found.origin == "official"
    make_cli(clean_path, beside=(LANGUAGE_HOST,))
    found = find_pulumi()
    assert found is not None
    assert (found.origin, found.path) == ("PATH", clean_path / "pulumi")


def test_server_that_never_answers_is_given_up_in_time(monkeypatch):
    released = threading.Event()

    def hang(*_, **__):
        released.wait(30)
        raise OSError

    monkeypatch.setattr(install, "REACH_TIMEOUT_S", 0.2)
    monkeypatch.setattr(install.urllib.request, "urlopen", hang)
    started = time.monotonic()
    assert not install._can_reach_installer()
    assert time.monotonic() - started < 5
    monkeypatch.undo()
    released.set()


def test_nothing_is_fetched_where_the_installer_is_out_of_reach(clean_path):
    lines: list[str] = []
    assert install_official(lines.append, can_reach=lambda: False) is None
    assert lines == []


def test_official_install_appears_whole_or_not_at_all(clean_path, make_cli, monkeypatch):
    def fetch(command, **_):
        root = install.Path(command[-1])
        make_cli(root / "bin", beside=(LANGUAGE_HOST,))
        if failing:
            raise subprocess.CalledProcessError(1, command)

    run = subprocess.run
    monkeypatch.setattr(
        install.subprocess, "run", lambda c, **k: fetch(c) if c[0] == sys.executable else run(c, **k)
    )
    failing = True
    assert install_official(lambda _: None, can_reach=lambda: True) is None
    assert not install._official_folder().exists()
    failing = False
    cli = install_official(lambda _: None, can_reach=lambda: True)
    assert cli is not None
    assert cli.origin == "official"


def test_cli_is_built_where_there_is_no_other(tmp_path, clean_path, make_cli, monkeypatch):
    monkeypatch.setattr(install, "_can_reach_installer", lambda: False)
    monkeypatch.setattr(install, "build_cli", lambda progress: make_cli(tmp_path / "made", beside=(EXEC,)))
    cli = locate_pulumi(lambda _: None)
    assert (cli.origin, cli.language_host, cli.exec_script) == ("built", None, tmp_path / "made" / EXEC)
