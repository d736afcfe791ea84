import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import grpc
import pytest
from google.protobuf import struct_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from sandbox.engine.language_host import plugin_command, program_arguments, run_response
from sandbox.engine.workspace import SOURCE_ROOT


@pytest.fixture
def start_host(tmp_path):
    """Starts the host with an executor of the text given; gives a client and the program's info."""
    processes: list[subprocess.Popen] = []
    channels: list[grpc.Channel] = []

    def start(executor: str):
        script = tmp_path / "executor"
        script.write_text(executor)
        command = [
            sys.executable,
            "-P",
            "-m",
            "sandbox.engine.language_host",
            str(script),
            "-v=9",
            "127.0.0.1:9",
        ]
        environment = {**os.environ, "PYTHONPATH": str(SOURCE_ROOT)}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        processes.append(process)
        channels.append(grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}"))
        options = struct_pb2.Struct()
        info = language_pb2.ProgramInfo(
            root_directory=str(tmp_path), program_directory=str(tmp_path), entry_point=".", options=options
        )
        return language_pb2_grpc.LanguageRuntimeStub(channels[-1]), info

    yield start
    for channel in channels:
        channel.close()
    for process in processes:
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        process.stdout.close()


def request(**fields):
    info = language_pb2.ProgramInfo(root_directory="/p", program_directory="/p/infra", entry_point=".")
    return language_pb2.RunRequest(info=info, **fields)


def test_arguments_name_the_run_and_none_of_its_secrets():
    arguments = program_arguments(
        request(
            project="headroom", stack="dev", parallel=4, dryRun=True, config={"k": "hush"}, pwd="/p/infra"
        ),
        "127.0.0.1:9",
    )
    assert arguments[-1] == "."
    flags = dict(zip(arguments[:-1:2], arguments[1:-1:2], strict=True))
    assert flags == {
        "--engine": "127.0.0.1:9",
        "--project": "headroom",
        "--stack": "dev",
        "--pwd": "/p/infra",
        "--root_directory": "/p",
        "--parallel": "4",
        "--dry_run": "true",
    }


def test_update_is_no_dry_run():
    arguments = program_arguments(request(dryRun=False), "")
    assert arguments[arguments.index("--dry_run") + 1] == "false"


@pytest.mark.parametrize(
    ("code", "error", "bail"), [(0, "", False), (32, "", True), (7, "exit code: 7", False)]
)
def test_end_of_the_program_is_reported_once(code, error, bail):
    response = run_response(code)
    assert error in response.error
    assert bool(response.error) is bool(error)
    assert response.bail is bail


def test_policy_pack_is_run_by_the_policy_module_with_the_address_and_the_folder():
    info = language_pb2.ProgramInfo(program_directory="/p/policies", entry_point=".")
    call = language_pb2.RunPluginRequest(kind="analyzer", args=["127.0.0.1:9"], info=info)
    assert plugin_command(Path("py"), call)[-4:] == ["-m", "pulumi.policy", "127.0.0.1:9", "/p/policies"]
    call.kind = "resource"
    assert plugin_command(Path("py"), call) == ["py", "-u", "/p/policies", "127.0.0.1:9"]


def test_host_runs_a_program_and_reports_its_exit_code(start_host):
    client, info = start_host("import sys; sys.exit(5)")
    assert "5" in client.Run(language_pb2.RunRequest(info=info, config={"a": "b"})).error


def test_program_that_dies_before_it_reads_its_configuration_is_reported(start_host, tmp_path):
    client, info = start_host("")
    (tmp_path / "executor").unlink()
    assert client.Run(language_pb2.RunRequest(info=info, config={"a": "b" * 10_000_000})).error


def test_program_ends_when_the_engine_gives_up_the_call(start_host, tmp_path):
    client, info = start_host(
        f"import os, pathlib, time\npathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))\n"
        "time.sleep(60)\n"
    )
    call = client.Run.future(language_pb2.RunRequest(info=info))
    pause = threading.Event()
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        pause.wait(0.02)
    call.cancel()
    pid = int((tmp_path / "pid").read_text())
    for _ in range(500):
        if not Path(f"/proc/{pid}").exists():
            return
        pause.wait(0.02)
    pytest.fail("the program still runs")


def test_host_and_program_end_with_the_engine(tmp_path):
    (tmp_path / "executor").write_text("")
    host = f"{sys.executable} -P -m sandbox.engine.language_host {tmp_path / 'executor'} 127.0.0.1:9"
    environment = {**os.environ, "PYTHONPATH": str(SOURCE_ROOT)}
    engine = subprocess.Popen(
        ["sh", "-c", f"{host} & wait"], stdout=subprocess.PIPE, text=True, env=environment
    )
    with engine:
        assert int(engine.stdout.readline()) > 0
        engine.kill()
        # The pipe ends when the last process that holds it does.
        assert engine.stdout.read() == ""


def test_absent_environment_is_an_answer_and_not_a_traceback(start_host):
    client, info = start_host("")
    info.options["virtualenv"] = "absent"
    with pytest.raises(grpc.RpcError) as caught:
        client.GetRequiredPackages(language_pb2.GetRequiredPackagesRequest(info=info))
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert "pulumi install" in caught.value.details()


def test_install_streams_what_the_installer_prints(start_host, tmp_path):
    client, info = start_host("")
    (tmp_path / "requirements.txt").write_text("pulumi\n")
    answers = client.InstallDependencies(language_pb2.InstallDependenciesRequest(info=info))
    assert b"already satisfied: pulumi" in b"".join(each.stdout for each in answers)


def test_install_that_fails_is_an_error(start_host, tmp_path):
    client, info = start_host("")
    (tmp_path / "requirements.txt").write_text("not a requirement\n")
    with pytest.raises(grpc.RpcError) as caught:
        list(client.InstallDependencies(language_pb2.InstallDependenciesRequest(info=info)))
    assert "failed: exit code" in caught.value.details()


def test_plugins_and_packages_of_the_environment_are_reported(start_host):
    client, info = start_host("")
    packages = client.GetRequiredPackages(language_pb2.GetRequiredPackagesRequest(info=info)).packages
    plugins = client.GetRequiredPlugins(language_pb2.GetRequiredPluginsRequest(info=info)).plugins
    assert "gcp" in {each.name for each in packages}
    assert {each.name for each in packages} == {each.name for each in plugins}
    assert client.About(language_pb2.AboutRequest(info=info)).version.startswith("3.")
