import json
import subprocess
import sys

from sandbox.engine.language_host import PROGRAM_RUNNER

# What the executor does with its configuration, and what a program could see of it.
EXECUTOR = """
import json, os, sys
import pulumi.runtime
print(json.dumps({
    "config": pulumi.runtime.get_config_env(),
    "secret_keys": pulumi.runtime.get_config_secret_keys_env(),
    "argv": sys.argv[1:],
    "stdin": sys.stdin.read(),
    "environment": "hush" in repr(os.environ),
    "path": [each for each in sys.path if each.endswith("engine")],
}))
"""


def run(tmp_path, config, secret_keys):
    executor = tmp_path / "executor"
    executor.write_text(EXECUTOR)
    command = [sys.executable, "-P", str(PROGRAM_RUNNER), str(executor), "--stack", "dev", "."]
    message = json.dumps({"config": config, "secret_keys": secret_keys})
    done = subprocess.run(command, input=message, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_executor_gets_its_configuration_and_only_its_own_arguments(tmp_path):
    seen = run(tmp_path, {"headroom:token": "hush"}, ["headroom:token"])
    assert seen == {
        "config": {"headroom:token": "hush"},
        "secret_keys": ["headroom:token"],
        "argv": ["--stack", "dev", "."],
        "stdin": "",
        "environment": False,
        "path": [],
    }


def test_configuration_may_be_larger_than_an_environment_variable(tmp_path):
    config = {"headroom:big": "x" * 1_000_000}
    assert run(tmp_path, config, [])["config"] == config
