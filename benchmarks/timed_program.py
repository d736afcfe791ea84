"""Runs a Pulumi program and writes down what it took: stands as `infra/__main__.py` of a measured project.

`HEADROOM_BENCH_PROGRAM` is the program's path, `HEADROOM_BENCH_FIGURES` the file to write.
"""

import atexit
import json
import os
import resource
import runpy
from pathlib import Path


def _write_figures() -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    figures = {"cpu_seconds": usage.ru_utime + usage.ru_stime, "peak_mib": usage.ru_maxrss / 1024}
    Path(os.environ["HEADROOM_BENCH_FIGURES"]).write_text(json.dumps(figures), encoding="utf-8")


if __name__ == "__main__":
    atexit.register(_write_figures)
    runpy.run_path(os.environ["HEADROOM_BENCH_PROGRAM"], run_name="__main__")
