"""What the examples' commands have in common: who exports, where to, how often, and with which fault."""

import argparse
import itertools
import logging
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from headroom_metrics import Exporter, Gateway, Identity, MetricsError, PushError, load_identity
from headroom_metrics.identity import Kind, Track

log = logging.getLogger("examples")


@dataclass(frozen=True)
class Run:
    """An example as it was asked for; `every` is in seconds, `rounds` is None for until it is stopped."""

    exporter: Exporter
    fault: str | None
    every: float
    rounds: int | None

    def rounds_due(self, *, at_once: bool = True) -> Iterator[int]:
        """Yield the number of each round when it is due, the first at once or after a wait."""
        for number in itertools.count() if self.rounds is None else range(self.rounds):
            if number or not at_once:
                time.sleep(self.every)
            yield number

    def publish(self) -> None:
        """Push where there is a gateway; what is scraped is there already. The work goes on without one."""
        if self.exporter.gateway:
            try:
                self.exporter.push()
            except PushError as error:
                log.error("%s", error)


def start(kind: Kind, about: str, faults: Sequence[str], track: Track = "") -> Run:
    """Read the command line, and begin to export. A user's mistake ends the command with exit code 2."""
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
    parser = _build_parser(kind, about, faults)
    asked = parser.parse_args()
    try:
        exporter = Exporter(_identify(kind, track), gateway=_find_gateway(asked, kind))
        if asked.port is not None:
            log.info("scraped at http://127.0.0.1:%d/metrics", exporter.serve(asked.port, "127.0.0.1").port)
    except (MetricsError, OSError) as error:
        parser.error(str(error))
    endless = asked.port is not None or asked.gateway is not None
    return Run(
        exporter, asked.fault, asked.every, None if endless and asked.rounds is None else asked.rounds or 1
    )


def run_until_stopped(main: Callable[[], None]) -> None:
    """Run a command; an interrupt from the keyboard is the way to stop it, and no fault."""
    with suppress(KeyboardInterrupt):
        main()


def _identify(kind: Kind, track: Track) -> Identity:
    version = "7" if track else ""
    return load_identity(
        kind=kind, owner="group:ads-ml@acme.example", tier="development", model_version=version, track=track
    )


def _find_gateway(asked: argparse.Namespace, kind: str) -> Gateway | None:
    return Gateway(asked.gateway, job=kind) if asked.gateway else None


def _read_port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text} is no port: 0 to 65535")
    return int(text)


def _read_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no duration: seconds, more than 0")
    return seconds


def _build_parser(kind: str, about: str, faults: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m examples.{kind}_pipeline", description=about)
    parser.add_argument("--fault", choices=faults, help="what goes wrong, from the start")
    parser.add_argument("--port", type=_read_port, help="be scraped here (0: any free port), until stopped")
    parser.add_argument("--gateway", metavar="URL", help="push to this Pushgateway, until stopped")
    parser.add_argument(
        "--every", type=_read_seconds, default=10, metavar="SECONDS", help="time between rounds (10)"
    )
    parser.add_argument(
        "--rounds", type=int, metavar="N", help="stop after so many rounds (1 without export)"
    )
    return parser
