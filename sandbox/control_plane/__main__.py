"""`python -m sandbox.control_plane`: start it, print its kubeconfig, wait for Ctrl-C."""

import argparse
import contextlib
import signal
import sys

from sandbox.control_plane.kueue import platform_values
from sandbox.control_plane.plane import ControlPlane
from sandbox.engine.errors import SandboxError


def main(arguments: list[str] | None = None) -> int:
    """Run a control plane until it is interrupted; the exit code is 2 where it does not start."""
    asked = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ControlPlane(None if asked.without_kueue else platform_values(), _show_progress) as plane:
            sys.stdout.write(f"export KUBECONFIG={plane.kubeconfig}\n")
            sys.stdout.flush()
            _show_progress(f"logs: {plane.folder}; Ctrl-C ends it and forgets everything")
            _wait_for_interrupt()
    except KeyboardInterrupt:
        return 130
    except SandboxError as error:
        _show_progress(f"error: {error}")
        return 2
    return 0


def _wait_for_interrupt() -> None:
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            signal.pause()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.control_plane",
        description=(
            "Run a real Kubernetes API server with the platform's Kueue on this machine until Ctrl-C. "
            "There are no nodes: jobs are admitted and their pods created, but nothing runs. "
            "What has to be built is built first (about 12 minutes on 2 cores, once)."
        ),
    )
    parser.add_argument("--without-kueue", action="store_true", help="the Kubernetes API alone")
    return parser


def _show_progress(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
