"""Whether a model serves on larger hardware than it trains on: normally it is the other way round (Q7)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from headroom.catalog.performance import DeviceFigures, find_figures
from headroom.planning.node_pools import PoolPlan
from headroom.planning.pipelines import PipelinePlan
from headroom.spec.errors import Problem


@dataclass(frozen=True, slots=True)
class _Part:
    """What a pod gets of a pool for each device that it asks for: a device, or a part of one."""

    pool: PoolPlan
    memory: float
    """Bytes."""
    figures: DeviceFigures | None
    share: float
    """Of a whole device."""

    @property
    def peak(self) -> float | None:
        """Operations a second in 16 bits; None: nothing is published."""
        return self.figures.peak("bf16") * self.share if self.figures else None


def compare_hardware(pipelines: Iterable[PipelinePlan], pools: Mapping[str, PoolPlan]) -> tuple[Problem, ...]:
    """Return a remark for each pool on which a model serves with more than the best that it trains on.

    Compared is one device, or the part of it that a pod gets: its peak in 16 bits where the catalog has both
    peaks, else its memory. How many there are is not compared, since that follows from the traffic. A model
    without a training pipeline, or that trains and serves on processors, is not remarked on. These are
    remarks, not errors: nothing is forbidden.
    """
    known = list(pipelines)
    trained: dict[str, list[PoolPlan]] = {}
    for pipeline in known:
        if pipeline.kind == "training":
            trained.setdefault(pipeline.model, []).extend(_pools_of(pipeline, pools))
    return tuple(
        Problem(f"headroom:pipelines.{pipeline.name}.limits.{pool.name}", remark)
        for pipeline in known
        if pipeline.kind == "serving" and trained.get(pipeline.model)
        for pool in _pools_of(pipeline, pools)
        if (remark := _remark(pool, trained[pipeline.model]))
    )


def _pools_of(pipeline: PipelinePlan, pools: Mapping[str, PoolPlan]) -> list[PoolPlan]:
    names = dict.fromkeys(limit.pool for limit in pipeline.limits)
    return [pools[name] for name in names if name in pools]


def _remark(serving: PoolPlan, training: list[PoolPlan]) -> str:
    """Return what is remarkable about serving there, or an empty text."""
    part = _part(serving)
    if part is None:
        return ""
    parts = [found for pool in training if (found := _part(pool))]
    if not parts:
        return (
            f"serves on {_name(serving)}, and the model trains on processors; serving normally needs the "
            "smaller hardware: consider processors"
        )
    reasons = [_excess(part, other) for other in parts]
    if not all(reasons):
        return ""
    return (
        f"serves on larger hardware than the model trains on: {reasons[0]}; `headroom advise` weighs others"
    )


def _part(pool: PoolPlan) -> _Part | None:
    if pool.accelerator is None or not pool.devices_per_node:
        return None
    share = float(pool.machine.device_fraction) * pool.physical_devices / pool.devices_per_node
    figures = find_figures(pool.accelerator.name)
    return _Part(pool, pool.accelerator.memory_gib * 2**30 * share, figures, share)


def _excess(serving: _Part, training: _Part) -> str:
    """Return by what a serving device is above a training device, or an empty text where it is not."""
    names = f"{_name(serving.pool)} above {_name(training.pool)} of pool {training.pool.name}"
    if serving.peak is not None and training.peak is not None:
        if serving.peak <= training.peak:
            return ""
        return f"{names}, {serving.peak / 1e12:,.0f} to {training.peak / 1e12:,.0f} TFLOP/s in 16 bits"
    if serving.memory <= training.memory:
        return ""
    return f"{names}, {serving.memory / 2**30:,.0f} to {training.memory / 2**30:,.0f} GiB of memory"


def _name(pool: PoolPlan) -> str:
    return pool.accelerator.name if pool.accelerator else pool.machine.name
