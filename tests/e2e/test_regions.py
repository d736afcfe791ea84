"""D4, D8 through the real engine: a model goes on to a second region, which is a stack of another project."""

from typing import Any

import yaml

from tests.e2e.conftest import EngineSandbox, Risen

LEAD, FAR = "dev", "far"
PIPELINE = "feed-serving"
TARGET = "gcp:clouddeploy/target:Target"
CLUSTER = "gcp:container/cluster:Cluster"
DELIVERY_PIPELINE = "gcp:clouddeploy/deliveryPipeline:DeliveryPipeline"


def write_far(platform: EngineSandbox) -> None:
    """A stack of another region that serves what the leading one does."""
    config = yaml.safe_load((platform.project / f"Pulumi.{LEAD}.yaml").read_text())["config"]
    zones = ["us-east1-b", "us-east1-c", "us-east1-d"]
    serving = config["headroom:pipelines"][PIPELINE]
    pool = serving["demand"]["pool"]
    machines = config["headroom:pools"][pool] | {"zones": zones}
    wanted: dict[str, Any] = {
        "gcp:project": "acme-ml-far",
        "gcp:region": "us-east1",
        "headroom:environment": config["headroom:environment"],
        "headroom:cluster": config["headroom:cluster"] | {"zones": zones},
        "headroom:pools": {pool: machines},
        "headroom:delivery": {"follows": LEAD, "wait_minutes": 30},
        "headroom:pipelines": {PIPELINE: serving | {"delivery": {"preset": "fast"}}},
    }
    (platform.project / f"Pulumi.{FAR}.yaml").write_text(yaml.safe_dump({"config": wanted}, sort_keys=False))


def lead_on(config: dict[str, Any]) -> None:
    config["headroom:delivery"]["regions"] = [FAR]


def find(platform: EngineSandbox, stack: str, kind: str) -> dict[str, dict[str, Any]]:
    """The outputs of a stack's resources of a kind, by name."""
    found = (each["outputs"] for each in platform.export(stack) if each["type"] == kind)
    return {outputs["name"]: outputs for outputs in found}


def test_a_region_is_brought_up_and_then_releases_go_on_to_it(risen: Risen) -> None:
    """D4, D8: nothing of what there was is replaced, and the alerts of a region judge its canaries."""
    platform = risen(LEAD)
    write_far(platform)
    platform.edit_stack_file(LEAD, lead_on)
    refused = platform.up(LEAD)
    assert refused.exit_code != 0
    assert FAR in "\n".join(refused.errors)

    platform.up(FAR).require_success()
    gates = platform.outputs(FAR)["gates"]
    assert find(platform, FAR, TARGET) == {}
    preview = platform.preview(LEAD).require_success()
    assert set(preview.steps.values()) == {"create", "read", "update"}
    platform.up(LEAD).require_success()

    targets = find(platform, LEAD, TARGET)
    (cluster,) = (each for each in platform.export(FAR) if each["type"] == CLUSTER)
    assert targets[f"{FAR}-{PIPELINE}"]["gke"]["cluster"] == cluster["id"]
    (pipeline,) = find(platform, LEAD, DELIVERY_PIPELINE).values()
    stages = pipeline["serialPipeline"]["stages"]
    assert [each["targetId"] for each in stages] == [
        f"{LEAD}-{PIPELINE}-staging",
        f"{LEAD}-{PIPELINE}",
        f"{FAR}-{PIPELINE}",
    ]
    phases = stages[-1]["strategy"]["canary"]["customCanaryDeployment"]["phaseConfigs"]
    checks = phases[0]["analysis"]["googleCloud"]["alertPolicyChecks"]
    assert {each["id"]: each["alertPolicies"] for each in checks} == {
        name: [policy] for name, policy in gates.items()
    }
    for stack in (FAR, LEAD):
        again = platform.up(stack, "--expect-no-changes").require_success()
        assert set(again.changes) == {"same"}
