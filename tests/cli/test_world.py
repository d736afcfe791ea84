"""The verbs of `headroom sandbox` that change the imitated cloud, as a user runs them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from sandbox.google.store import LIVE, Store, WorldObject

NETWORK = "gcp:compute/network:Network"


@pytest.fixture
def verb(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., CompletedProcess[str]]:
    """Run a verb in a sandbox whose world holds one network."""
    state = tmp_path_factory.mktemp("state")
    (state / "sandbox.lock").touch()
    store = Store(state / "cloud.sqlite")
    with store.transaction():
        store.put(
            WorldObject(
                type=NETWORK, id="projects/p/global/networks/n", project="p", status=LIVE,
                sequence=1, created=0.0, changed=0.0, properties={"mtu": 1460, "params": {}},
            )
        )  # fmt: skip
    store.close()
    command = Path(sys.executable).with_name("headroom")

    def run(*arguments: str) -> CompletedProcess[str]:
        return subprocess.run(
            [command, "sandbox", *arguments],
            cwd=project, env=os.environ | {"HEADROOM_SANDBOX": str(state)},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    return run


def shown(verb: Callable[..., CompletedProcess[str]]) -> dict[str, Any]:
    return json.loads(verb("show", "--json", "--all").stdout)


def test_show_tells_what_the_world_holds_as_a_table_and_as_json(verb: Any) -> None:
    assert "projects/p/global/networks/n" in verb("show").stdout
    (network,) = shown(verb)["objects"]
    assert (network["type"], network["status"], network["properties"]["mtu"]) == (NETWORK, "live", 1460)


def test_drift_changes_a_property_by_hand(verb: Any) -> None:
    assert verb("drift", "networks/n", "params.resourceManagerTags", '{"a": "b"}').returncode == 0
    assert verb("drift", "n", "mtu", "1500").returncode == 0
    held = shown(verb)["objects"][0]["properties"]
    assert held == {"mtu": 1500, "params": {"resourceManagerTags": {"a": "b"}}}


def test_remove_takes_it_away(verb: Any) -> None:
    assert verb("remove", "n").returncode == 0
    assert shown(verb)["objects"] == []


def test_quota_is_granted_to_the_only_project(verb: Any) -> None:
    assert verb("quota", "NVIDIA-L4-GPUS-per-project-region/us-central1", "8").returncode == 0
    (quota,) = shown(verb)["quotas"]
    assert (quota["project"], quota["limit"], quota["drawn"]) == ("p", 8, 0)


def test_quota_is_asked_for_by_hand_and_answered_as_told(verb: Any) -> None:
    name = "NVIDIA-L4-GPUS-per-project-region/us-central1"
    assert verb("pace", "--scale", "0").returncode == 0
    assert verb("enable", "cloudquotas.googleapis.com").returncode == 0
    assert verb("quota", name, "8", "--answer", "partly").stdout.splitlines() == [
        "requests are answered partly",
        f"{name} is 8",
    ]
    done = verb("quota", name, "--request", "16", "--called", "console-7f3a")
    identity = "projects/p/locations/global/quotaPreferences/console-7f3a"
    assert done.stdout == f"asked for 16 of {name}: {identity}\n", done.stderr
    (quota,) = shown(verb)["quotas"]
    assert quota["limit"] == 12
    again = verb("quota", name, "--request", "17")
    assert (again.returncode, f"Resource '{identity}' already exists" in again.stderr) == (2, True)


def test_faults_are_shown_until_calm(verb: Any) -> None:
    assert verb("fault", "503", "--rate", "0.05", "--times", "-1").returncode == 0
    assert shown(verb)["faults"][0]["rate"] == 0.05
    assert "no end" in verb("show").stdout
    assert verb("calm").returncode == 0
    assert shown(verb)["faults"] == []


def test_pace_is_kept(verb: Any) -> None:
    assert verb("pace", "--seed", "7", "--scale", "0").stdout == "seed 7, scale 0\n"
    assert shown(verb)["pace"] == {"seed": "7", "scale": 0}


def test_commands_that_ask_google_are_answered_by_the_imitation(verb: Any) -> None:
    done = verb("run", "--", "headroom", "preflight", "-s", "dev", "--json")
    assert done.returncode == 1, done.stderr
    states = {check["state"] for check in json.loads(done.stdout)["checks"]}
    assert {"missing", "ok"} <= states


def test_an_empty_world_comes_to_pass_preflight_by_the_verbs_that_admins_have(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What preflight finds missing in a new project, `enable` and `bucket` mend; an unmended one fails it."""
    command = Path(sys.executable).with_name("headroom")
    environment = os.environ | {"HEADROOM_SANDBOX": str(tmp_path_factory.mktemp("new"))}

    def run(*arguments: str) -> CompletedProcess[str]:
        return subprocess.run(
            [command, "sandbox", *arguments],
            cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    def preflight() -> tuple[int, list[str]]:
        done = run("run", "--", "headroom", "preflight", "-s", "dev", "--json")
        checks = json.loads(done.stdout)["checks"]
        return done.returncode, [check["subject"] for check in checks if check["state"] == "missing"]

    code, missing = preflight()
    assert code == 1
    assert "gs://acme-ml-dev-pulumi-state" in missing
    apis = [what for what in missing if what.endswith(".googleapis.com")]
    assert run("enable", *apis, "--project=acme-ml-dev").returncode == 0
    assert preflight() == (1, ["gs://acme-ml-dev-pulumi-state"])
    assert run("bucket").stdout == "made gs://acme-ml-dev-pulumi-state in acme-ml-dev\n"
    code, missing = preflight()
    assert (code in {0, 3}, missing) == (True, [])
    pulled = run("run", "--", "headroom", "quota", "pull", "-s", "dev")
    assert pulled.returncode == 0, pulled.stderr
    assert run("reset", "--yes").returncode == 0


def test_commands_run_without_the_credentials_of_the_caller(
    verb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GOOGLE_OAUTH_ACCESS_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "hush")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/real/key.json")
    program = "import json, os; print(json.dumps(dict(os.environ)))"
    seen = json.loads(verb("run", "--", sys.executable, "-c", program).stdout)
    assert "hush" not in seen.values()
    assert not Path(seen["GOOGLE_APPLICATION_CREDENTIALS"]).exists()
    assert not Path(seen["CLOUDSDK_CONFIG"]).exists()
    assert seen["HEADROOM_GOOGLE_ENDPOINT"].startswith("http://127.0.0.1:")


def test_a_cloud_that_cannot_be_read_is_one_message_and_exit_code_2(
    verb: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "cloud.sqlite").write_text("no database, however long one looks at it" * 99)
    command = Path(sys.executable).with_name("headroom")
    monkeypatch.setenv("HEADROOM_SANDBOX", str(tmp_path / "broken"))
    done = subprocess.run([command, "sandbox", "show"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "cannot be used: file is not a database" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_command_that_is_not_there_is_said_to_be_that(verb: Any) -> None:
    done = verb("run", "--", "no-such-command")
    assert (done.returncode, done.stderr) == (2, "error: there is no command no-such-command\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("drift", "networks/m", "mtu", "1"), "the world holds nothing of the id networks/m"),
        (("drift", "n", "mtuu", "1"), "unexpected property 'mtuu'; did you mean 'mtu'?"),
        (("drift", "n", "mtu", "large"), "mtu of projects/p/global/networks/n: expected int, got string"),
        (("drift", "n", "params.resourceManagerTag", "{}"), "did you mean 'resourceManagerTags'?"),
        (("quota", "NOPE/mars", "8"), "NOPE is no quota that the catalog knows"),
        (
            ("quota", "NVIDIA-L4-GPU-per-project-region/us-central1", "8"),
            "nearest is NVIDIA-L4-GPUS-per-project",
        ),
        (
            ("quota", "NVIDIA-L4-GPUS-per-project-region/us-central", "8"),
            "no region; the nearest is us-central",
        ),
        (("quota", "NVIDIA-L4-GPUS-per-project-region/us-central1/a=b", "8"), "say NVIDIA-L4-GPUS-per-"),
        (
            ("quota", "CPUS-ALL-REGIONS-per-project/us-central1", "8"),
            "say CPUS-ALL-REGIONS-per-project/global",
        ),
        (("quota", "GPUS-PER-GPU-FAMILY-per-project-region/us-east4", "8"), "/us-east4/gpu_family=VALUE"),
        (("quota",), "say a quota with a limit or --request, or --answer"),
        (("quota", "CPUS-ALL-REGIONS-per-project/global"), "say a quota with a limit or --request"),
        (("quota", "--request", "8"), "say a quota with a limit or --request"),
        (("quota", "--answer", "soon"), "soon is no answer to a request; answers are at-once, partly, later"),
        (("enable", "compute.google.com"), "the nearest is compute.googleapis.com"),
        (("fault", "418"), "418 is no fault; faults are 429, 503"),
        (("fault", "503", "--rate", "2"), "a rate is a number from 0 to 1"),
        (("quota", "L4", "8"), "L4 names no quota: say ID/REGION or ID/global"),
        (
            ("quota", "NVIDIA-L4-GPUS-per-project-region/us-central1", "--", "-8"),
            "a limit is a number of 0 or more",
        ),
        (("pace", "--scale", "-1"), "scale"),
        (("pace", "--scale", "x"), "scale"),
    ],
)
def test_what_cannot_be_done_is_one_message_and_exit_code_2(
    verb: Any, arguments: tuple[str, ...], message: str
) -> None:
    done = verb(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
