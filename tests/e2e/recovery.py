"""What the tests of recovery share: the steps of the runbooks, and updates that are killed."""

import json
import re
import subprocess
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.engine.workspace import Sandbox
from sandbox.google.store import LIVE
from tests.e2e.conftest import EngineSandbox, Preview, Update
from tests.e2e.outcomes import NUMBERED, open_world

NODE_POOL = "gcp:container/nodePool:NodePool"
MOST_ROUNDS = 20
"""Updates that a recovery may take; one adopts what the last left behind, and may lose something itself."""

PATIENCE_SECONDS = 120

UNREADABLE = "failed to load checkpoint: EOF"
"""What Pulumi says of a state on a disk whose attributes were half written when it was killed."""

_REFUSED = re.compile(r"googleapi: Error (429|503)")
_ATTEMPT = re.compile(r"attempt \d+ of 20")
_TAKEN = re.compile(
    r"(?:Error 409: Resource '|resource - )(?P<id>[^' ]+)(?:'| -) already exists"
    r'|[a-z0-9.-]+ "(?P<object>[^"]+)" already exists'
    r"|cannot re-use a name that is still in use"
)


def anew(platform: EngineSandbox, name: str) -> EngineSandbox:
    """The same project in another, empty sandbox, beside the first."""
    return EngineSandbox(Sandbox(platform.project, platform.sandbox.state.with_name(name)), platform.cli)


def keep_two_pools(config: dict[str, Any]) -> None:
    """Edit a stack file to the pools `cpu` and `l4`, and to a pipeline of each kind that needs no other."""
    kept = {"cpu", "l4"}
    config["headroom:pools"] = {name: config["headroom:pools"][name] for name in sorted(kept)}
    one_of_each_kind = {
        pipeline["kind"]: (name, pipeline)
        for name, pipeline in config["headroom:pipelines"].items()
        if pools_of(pipeline) <= kept
    }
    config["headroom:pipelines"] = dict(one_of_each_kind.values())
    models = {pipeline["model"] for pipeline in config["headroom:pipelines"].values()}
    if "headroom:models" in config:
        config["headroom:models"] = {
            name: model for name, model in config["headroom:models"].items() if name in models
        }


def pools_of(pipeline: dict[str, Any]) -> set[str]:
    """The pools that a pipeline of a stack file is limited on, or estimated for."""
    estimated = pipeline["demand"]["pool"] if "demand" in pipeline else None
    return {*pipeline.get("limits", {}), *([estimated] if estimated else [])}


def messages(update: Update, *severities: str) -> list[str]:
    """What an update said, resource by resource: `name: text`."""
    events = [event["diagnosticEvent"] for event in update.events if "diagnosticEvent" in event]
    return [
        f"{each.get('urn', '').rpartition('::')[2]}: {each['message'].strip()}"
        for each in events
        if each["severity"] in severities
    ]


def retries(update: Update) -> list[str]:
    """What the program said of each further attempt at what was only late."""
    return [text for text in messages(update, "info") if _ATTEMPT.search(text)]


def save_state(platform: EngineSandbox, stack: str, path: Path) -> Path:
    """Step "Save the state" of docs/runbooks/state-backup.md."""
    done = platform.pulumi("stack", "export", "--stack", stack, "--file", str(path))
    assert done.returncode == 0, done.stderr
    return path


def restore_state(platform: EngineSandbox, stack: str, path: Path) -> None:
    """Step "Restore it" of docs/runbooks/state-backup.md."""
    done = platform.pulumi("stack", "import", "--stack", stack, "--file", str(path))
    assert done.returncode == 0, done.stderr


def see_drift(platform: EngineSandbox, stack: str) -> dict[str, str]:
    """Step "See it" of docs/runbooks/drift.md: operation by name, of what would have to be mended."""
    preview = platform.preview(stack, "--refresh", "--expect-no-changes")
    found = {
        urn.rpartition("::")[2]: operation
        for urn, operation in preview.steps.items()
        if operation not in ("refresh", "read")
    }
    assert (preview.exit_code != 0) == bool(found), preview.errors or preview.stderr
    return found


def recover(platform: EngineSandbox, stack: str, folder: Path) -> Update:
    """Follow docs/runbooks/half-failed-up.md, and stuck-lock.md where it sends there, to an `up` that ends well.

    `folder` takes the files of the steps.
    """
    for _ in range(MOST_ROUNDS):
        update = platform.up(stack, "--continue-on-error")
        if UNREADABLE in update.stderr + update.stdout:
            delete_empty_attributes(platform)
            continue
        if "locked by" in update.stderr + update.stdout:
            cancel(platform, stack)
            continue
        if update.exit_code == 0:
            forget_pending(platform, stack)
            return update
        adopt(platform, stack, taken_names(update), folder)
    raise AssertionError(f"not recovered in {MOST_ROUNDS} rounds: {update.errors or update.stderr}")


def cancel(platform: EngineSandbox, stack: str) -> None:
    """Step "Take the lock away" of docs/runbooks/stuck-lock.md."""
    done = platform.pulumi("cancel", "--stack", stack, "--yes")
    assert done.returncode == 0, done.stderr


def delete_empty_attributes(platform: EngineSandbox) -> list[Path]:
    """Step "A state that cannot be read" of docs/runbooks/stuck-lock.md; returns what it deleted."""
    folder = platform.sandbox.state / "backend" / ".pulumi"
    empty = [path for path in folder.rglob("*.attrs") if path.stat().st_size == 0]
    for path in empty:
        path.unlink()
    return empty


def taken_names(update: Update) -> dict[str, str]:
    """Id in the cloud by URN, of what an update could not create because it is there already.

    A Kubernetes object's answer has its name only, that of a Helm release nothing; `adopt` looks for the rest.
    """
    errors = [event["diagnosticEvent"] for event in update.events if "diagnosticEvent" in event]
    return {
        each["urn"]: found["id"] or found["object"] or ""
        for each in errors
        if each.get("urn") and (found := _TAKEN.search(each["message"]))
    }


def adopt(platform: EngineSandbox, stack: str, taken: Mapping[str, str], folder: Path) -> None:
    """Step "Adopt what is there already" of docs/runbooks/half-failed-up.md; nothing to do without names.

    What the state has already was being replaced: step "A replacement whose name is taken" deletes it by hand.
    An import that Google refuses for the moment ends there, as step 3 says: the next round adopts what is left.
    """
    known = {each["urn"] for each in platform.export(stack)} if taken else set()
    for urn in taken.keys() & known:
        open_world(platform).remove(taken[urn])
    taken = {urn: identity for urn, identity in taken.items() if urn not in known}
    if not taken:
        return
    file = folder / "import.json"
    preview = platform.preview(stack, "--import-file", str(file)).require_success()
    taken = _with_namespaces(preview, taken)
    wanted = json.loads(file.read_text())
    ids = {(_type_of(urn), urn.split("::")[3]): identity for urn, identity in taken.items()}
    wanted["resources"] = [
        {**each, "id": ids[key]}
        for each in wanted["resources"]
        if (key := (each["type"], each.get("logicalName", each["name"]))) in ids
    ]
    file.write_text(json.dumps(wanted))
    done = platform.pulumi(
        "import", "--stack", stack, "--file", str(file), "--yes", "--skip-preview",
        "--protect=false", "--generate-code=false",
    )  # fmt: skip
    assert done.returncode == 0 or _REFUSED.search(done.stdout + done.stderr), done.stdout + done.stderr


def _with_namespaces(preview: Preview, taken: Mapping[str, str]) -> dict[str, str]:
    """The ids, those of Kubernetes objects as NAMESPACE/NAME where the preview shows a namespace."""
    inputs = {step["urn"]: step["newState"].get("inputs", {}) for step in preview.report["steps"]}
    return {
        urn: _id_in_cluster(inputs[urn]) if _type_of(urn).startswith("kubernetes:") else each
        for urn, each in taken.items()
    }


def _type_of(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


def _id_in_cluster(inputs: Mapping[str, Any]) -> str:
    """The id of a Kubernetes object or of a Helm release by its inputs."""
    place = inputs.get("metadata", inputs)
    return f"{place['namespace']}/{place['name']}" if place.get("namespace") else place["name"]


def delete_first_pool(platform: EngineSandbox) -> bool:
    """Step "The first pool that stayed" of docs/runbooks/half-failed-up.md; returns whether there was one."""
    world = open_world(platform)
    left = [item.id for item in world.objects(NODE_POOL, LIVE) if item.id.endswith("/nodePools/default-pool")]
    for identity in left:
        world.remove(identity)
    return bool(left)


def delete_doubles(platform: EngineSandbox, stack: str) -> int:
    """Step "What Google numbers itself" of docs/runbooks/half-failed-up.md; returns how many there were."""
    known = {each.get("id") for each in platform.export(stack)}
    world = open_world(platform)
    live = [item.id for item in world.objects(status=LIVE) if item.type in NUMBERED]
    doubles = [identity for identity in live if identity not in known]
    for identity in doubles:
        world.remove(identity)
    return len(doubles)


def init_errors(platform: EngineSandbox, stack: str) -> list[str]:
    """Names of the resources that the state holds half done."""
    return [each["urn"].rpartition("::")[2] for each in platform.export(stack) if each.get("initErrors")]


def forget_pending(platform: EngineSandbox, stack: str) -> None:
    """Step "Forget what was interrupted" of docs/runbooks/half-failed-up.md, where the state still names it."""
    if pending(platform, stack):
        platform.refresh(stack, "--clear-pending-creates").require_success()
    assert pending(platform, stack) == []


def pending(platform: EngineSandbox, stack: str) -> list[str]:
    """Names of the resources at which an update was interrupted."""
    done = platform.pulumi("stack", "export", "--stack", stack)
    operations = json.loads(done.stdout)["deployment"].get("pending_operations") or []
    return [each["resource"]["urn"].rpartition("::")[2] for each in operations]


@contextmanager
def running_update(platform: EngineSandbox, stack: str) -> Generator[subprocess.Popen[str]]:
    """An `up` that goes on beside the test; it is killed at the end if it still runs."""
    invocation = ["up", "--stack", stack, "--yes", "--skip-preview", "--json"]
    platform.sandbox.prepare(platform.cli, invocation)
    output = platform.sandbox.state.with_suffix(".jsonl")
    with (
        output.open("w") as stream,
        subprocess.Popen(
            [str(platform.cli.path), "--non-interactive", *invocation],
            cwd=platform.sandbox.working_copy,
            env=platform.sandbox.environment(platform.cli),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            text=True,
        ) as engine,
    ):
        try:
            yield engine
        finally:
            engine.kill()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait until something is so; after `PATIENCE_SECONDS` it counts as failed."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, f"waited {PATIENCE_SECONDS} s in vain: {what}"
        time.sleep(0.01)


def kill_engine_once(platform: EngineSandbox, stack: str, condition: Callable[[], bool], what: str) -> None:
    """Kill an `up` (SIGKILL to the engine) as soon as something is so, and wait until what it started is gone."""
    with running_update(platform, stack) as engine:
        wait_until(condition, what)
        engine.kill()
        engine.wait()
    mark = f"HEADROOM_CLOUD={platform.sandbox.cloud}".encode()
    wait_until(lambda: not _processes_with(mark), "the killed engine's processes end")


def _processes_with(variable: bytes) -> list[Path]:
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if variable in environment.read_bytes().split(b"\0"):
                found.append(environment)
        except OSError:
            continue
    return found
