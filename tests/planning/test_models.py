"""Models that a stack file describes are those of its pipelines."""

from typing import Any

from headroom.planning.models import check_models
from headroom.spec.stack_file import parse_config


def test_a_model_without_a_pipeline_is_found_with_the_one_that_was_meant(config: dict[str, Any]) -> None:
    """Q6."""
    limits = {"cpu": {"cpu": {"guarantee": 1, "cap": 2}, "memory": {"guarantee": "1Gi", "cap": "2Gi"}}}
    config["headroom:pipelines"] = {
        "s": {"kind": "serving", "model": "chat", "owner": "user:a@b.co", "limits": limits}
    }
    described = {"architecture": "transformer", "parameters": "8B"}
    config["headroom:models"] = {"chat": described}
    assert check_models(parse_config(config, "f")) == []
    config["headroom:models"] = {"chatt": described}
    (problem,) = check_models(parse_config(config, "f"))
    assert str(problem) == "headroom:models.chatt: is the model of no pipeline; did you mean chat?"
