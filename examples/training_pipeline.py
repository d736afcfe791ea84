"""A training pipeline: trains a model in each round; a run starts, takes its time, ends well or fails."""

import time

import numpy as np
from headroom_metrics import TrainingMonitor

from examples.clicks import Model, World, draw, improve, measure_auc
from examples.command_line import Run, log, run_until_stopped, start

STEPS = 200
BASELINE_SECONDS = 2.0
FAULTS = ("slow", "stuck", "fail")


def main() -> None:
    """Run the pipeline as the command line says."""
    run = start("training", __doc__ or "", FAULTS)
    monitor = TrainingMonitor(
        run.exporter, baseline_seconds=BASELINE_SECONDS, schedule_seconds=run.every + 2 * BASELINE_SECONDS
    )
    for number in run.rounds_due():
        try:
            with monitor.run(f"run-{number}"):
                auc = fit(run, np.random.default_rng(number))
            log.info("run %d: AUC %.3f", number, auc)
        except FloatingPointError as error:
            log.info("run %d failed: %s", number, error)


def fit(run: Run, chance: np.random.Generator) -> float:
    """Train a model and return its AUC on rows that it has not seen."""
    rows = draw(World(), 5_000, chance)
    model = Model((0.0, 0.0, 0.0, 0.0))
    pause = {"slow": 2 * BASELINE_SECONDS / STEPS, "stuck": 60.0}.get(run.fault or "", 0.0)
    for _ in range(STEPS):
        model = improve(model, rows, rate=2_000 if run.fault == "fail" else 0.5)
        time.sleep(pause)
    unseen = draw(World(), 5_000, chance)
    return measure_auc(model.predict(unseen), unseen["clicked"])


if __name__ == "__main__":
    run_until_stopped(main)
