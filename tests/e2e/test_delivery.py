"""D8 through the real engine: another phase is a change of the pipeline, never another pipeline."""

from typing import Any

from tests.e2e.conftest import Risen

OF_CLOUD_DEPLOY = "gcp:clouddeploy/"


def test_a_phase_more_changes_the_pipeline_and_replaces_nothing(risen: Risen) -> None:
    """D8: releases that were made stay with their pipeline, and a second `up` changes nothing."""
    platform = risen("dev")
    kinds = {each["type"] for each in platform.export("dev") if each["type"].startswith(OF_CLOUD_DEPLOY)}
    assert kinds == {
        "gcp:clouddeploy/automation:Automation",
        "gcp:clouddeploy/deliveryPipeline:DeliveryPipeline",
        "gcp:clouddeploy/target:Target",
    }

    def one_more(config: dict[str, Any]) -> None:
        phases = config["headroom:pipelines"]["feed-serving"]["delivery"]["phases"]
        phases.insert(1, {"percent": 25, "minutes": 30})

    platform.edit_stack_file("dev", one_more)
    preview = platform.preview("dev").require_success()
    steps = {urn.rsplit("::", 1)[-1]: operation for urn, operation in preview.steps.items()}
    assert steps == {"dev-feed-serving": "update", "dev-feed-serving-after-production": "update"}
    platform.up("dev").require_success()
    assert set(platform.up("dev", "--expect-no-changes").require_success().changes) == {"same"}
