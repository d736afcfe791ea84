"""A data pipeline: takes in a day's rows, drops the unsound ones, and watches features and labels."""

import numpy as np
from headroom_metrics import DataCheck, DriftMonitor, watch_categories, watch_numbers

from examples.clicks import FIELDS, World, damage, draw
from examples.command_line import Run, log, run_until_stopped, start

ROWS = 4_000
FAULTS = ("drift", "label-drift", "missing")


def main() -> None:
    """Run the pipeline as the command line says."""
    run = start("data", __doc__ or "", FAULTS)
    chance = np.random.default_rng(11)
    known = draw(World(), 20_000, np.random.default_rng(1))
    watches = (
        watch_numbers("age", known["age"]),
        watch_numbers("price", known["price"]),
        watch_categories("device", known["device"], method="jsd"),
        watch_categories("clicked", known["clicked"], subject="label", threshold=0.1),
    )
    drift = DriftMonitor(run.exporter, watches, interval_seconds=run.every)
    check = DataCheck(run.exporter, FIELDS)
    for day in run.rounds_due():
        prepare(run, day, check, drift, chance)


def prepare(run: Run, day: int, check: DataCheck, drift: DriftMonitor, chance: np.random.Generator) -> None:
    """Take in a day's rows."""
    worlds = {"drift": World.grown_older(25), "label-drift": World(keener=2)}
    world = worlds.get(run.fault or "", World())
    rows = damage(draw(world, ROWS, chance), 0.1 if run.fault == "missing" else 0, chance)
    issues = check.check_columns(rows)
    sound = ~np.isnan(rows["age"]) & np.isfinite(rows["price"])
    drift.observe(rows)
    drift.observe({"clicked": rows["clicked"]}, "label")
    drifted = [found.watch.feature for found in drift.check() if found.is_drifted]
    run.publish()
    log.info(
        "day %d: kept %d of %d rows, %.1f %% of the values unsound, drifted: %s",
        day, sound.sum(), ROWS, 100 * (issues.share or 0), ", ".join(drifted) or "nothing",
    )  # fmt: skip


if __name__ == "__main__":
    run_until_stopped(main)
