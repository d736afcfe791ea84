"""Whether the models that a stack file describes are those of its pipelines."""

from headroom.spec.errors import Problem, suggest
from headroom.spec.platform import Platform


def check_models(platform: Platform) -> list[Problem]:
    """Return the models that no pipeline belongs to: nobody would read what is said of them."""
    used = {pipeline.model for pipeline in platform.pipelines.values()}
    return [
        Problem(f"headroom:models.{name}", "is the model of no pipeline" + suggest(name, used))
        for name in sorted(platform.models)
        if name not in used
    ]
