"""A validation pipeline: judges a model on test data, and the test data by what it was trained on."""

import numpy as np
from headroom_metrics import DriftMonitor, QualityBound, QualityMonitor, watch_categories, watch_numbers

from examples.clicks import Model, World, draw, measure_auc, train
from examples.command_line import Run, log, run_until_stopped, start

FAULTS = ("drift", "worse")


def main() -> None:
    """Run the pipeline as the command line says."""
    run = start("validation", __doc__ or "", FAULTS)
    known = draw(World(), 20_000, np.random.default_rng(1))
    watches = (
        watch_numbers("age", known["age"]),
        watch_numbers("price", known["price"]),
        watch_categories("device", known["device"]),
        watch_categories("clicked", known["clicked"], subject="label", threshold=0.1),
    )
    drift = DriftMonitor(run.exporter, watches, interval_seconds=run.every)
    quality = QualityMonitor(run.exporter, QualityBound("auc", minimum=0.65))
    model = train(known)
    chance = np.random.default_rng(13)
    for number in run.rounds_due():
        judge(run, number, model, drift, quality, chance)


def judge(
    run: Run,
    number: int,
    model: Model,
    drift: DriftMonitor,
    quality: QualityMonitor,
    chance: np.random.Generator,
) -> None:
    """Judge the model on a new set of test data."""
    worlds = {"drift": World.grown_older(25), "worse": World(contrary=True)}
    world = worlds.get(run.fault or "", World())
    test = draw(world, 4_000, chance)
    drift.observe(test)
    drift.observe(test, "label")
    drifted = [found.watch.feature for found in drift.check() if found.is_drifted]
    auc = measure_auc(model.predict(test), test["clicked"])
    passed = quality.measure("auc", auc) and not drifted
    run.publish()
    log.info(
        "set %d: %s, AUC %.3f, drifted: %s",
        number, "passed" if passed else "refused", auc, ", ".join(drifted) or "nothing",
    )  # fmt: skip


if __name__ == "__main__":
    run_until_stopped(main)
