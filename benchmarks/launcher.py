"""Starts a command from a process that holds next to nothing, and writes down what the command took.

Run as `python -S launcher.py FIGURES COMMAND...`. Linux counts what a process held before
`exec` as its own peak, so a command started by a large process would seem as large.
"""

import json
import os
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    target, *command = sys.argv[1:]
    started = time.perf_counter()
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    figures = {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_mib": usage.ru_maxrss / 1024,
    }
    Path(target).write_text(json.dumps(figures), encoding="utf-8")
    sys.exit(os.waitstatus_to_exitcode(status) and 1)
