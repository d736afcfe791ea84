"""Starts a Pulumi program with its configuration taken from standard input.

Run as `python program_runner.py EXEC_SCRIPT ARGUMENTS` by the interpreter of the program's environment. The
official host passes the configuration in the environment variable PULUMI_CONFIG, and Linux limits a variable
to 128 KiB; from a pipe it may be of any size, and it is in no file, no argument and no variable that a child
of the program would inherit.
"""

import gc
import json
import os
import runpy
import sys

# Importing pulumi_gcp makes hundreds of thousands of objects that all stay: looking for garbage among them
# takes a fifth of the time that a program needs.
_COLLECT_AFTER = 200_000


def _take_config() -> tuple[dict[str, str], list[str]]:
    message = json.load(sys.stdin)
    # The program itself gets an empty standard input, as under the official host.
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return message["config"], message["secret_keys"]


def _run() -> None:
    gc.set_threshold(_COLLECT_AFTER)
    config, secret_keys = _take_config()
    import pulumi.runtime

    # pulumi-language-python-exec asks these two functions for what the environment variables would hold.
    setattr(pulumi.runtime, "get_config_env", lambda: config)  # noqa: B010
    setattr(pulumi.runtime, "get_config_secret_keys_env", lambda: secret_keys)  # noqa: B010
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    _run()
