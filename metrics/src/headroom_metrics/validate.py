"""`headroom-validate`: sends requests to a staged model, judges a new one by what it exports, promotes it.

To promote a model is to copy the image of one that is good to where production takes its images from.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from headroom_metrics.errors import MetricsError, RegistryError
from headroom_metrics.evidence import Patience, await_verdict, read_evidence
from headroom_metrics.judgement import Bound, Candidate, Demands, require_family
from headroom_metrics.prometheus import Prometheus
from headroom_metrics.promotion import promote, read_promotion
from headroom_metrics.registry import Registry
from headroom_metrics.traffic import Sending, read_requests, send


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Return 0: good; 1: not good, with the reasons printed; a wrong call ends it with 2."""
    parser = build_parser()
    asked = parser.parse_args(arguments)
    try:
        return asked.run(asked)
    except MetricsError as error:
        parser.error(str(error))


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line, which the release's own tests use too."""
    parser = argparse.ArgumentParser(prog="headroom-validate", description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_send(commands.add_parser("send", help="send recorded requests to a staged model"))
    _add_judge(commands.add_parser("judge", help="judge a model by the metrics that it exports"))
    return parser


def _add_send(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", required=True, metavar="URL", help="where the model answers")
    parser.add_argument(
        "--requests", required=True, type=Path, metavar="FILE", help="a request in JSON on each line"
    )
    parser.add_argument("--count", type=int, default=600, help="how many to send (600)")
    parser.add_argument("--per-second", type=float, default=10, help="how many a second (10)")
    parser.set_defaults(run=_send)


def _add_judge(parser: argparse.ArgumentParser) -> None:
    for name in ("environment", "pipeline", "model-version"):
        parser.add_argument(f"--{name}", required=True, help="as on the model's series")
    parser.add_argument("--track", required=True, choices=("stable", "canary"))
    parser.add_argument("--prometheus", required=True, metavar="URL", help="where its series are kept")
    parser.add_argument("--minutes", type=float, default=10, help="how long to wait for a good verdict (10)")
    parser.add_argument(
        "--expect", action="append", default=[], metavar="METRIC", help="what it must export; repeatable"
    )
    parser.add_argument("--least-requests", type=float, default=0, help="how many it must have answered (0)")
    parser.add_argument(
        "--quality",
        action="append",
        default=[],
        type=_read_bound,
        metavar="METRIC:min|max:VALUE",
        help="a bound of quality that it must keep; repeatable",
    )
    parser.add_argument(
        "--present", default="", metavar="ENVIRONMENT", help="where the present model answers"
    )
    parser.add_argument("--worse", type=float, help="how much worse than it, as a share of its quality")
    parser.add_argument("--skew", type=float, help="how far its predictions may be from the present model's")
    _add_copy(parser)
    parser.set_defaults(run=_judge)


def _add_copy(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--copy-from",
        metavar="IMAGE",
        help="once it is good, copy this image of it: HOST/NAME@sha256:DIGEST",
    )
    parser.add_argument(
        "--copy-to", metavar="NAME", help="to this name in the same registry; the version is its tag there"
    )
    parser.add_argument(
        "--copy-minutes", type=float, default=2, help="how long to try again while a registry is late (2)"
    )


def _read_bound(text: str) -> Bound:
    metric, _, rest = text.partition(":")
    direction, _, value = rest.partition(":")
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not metric or direction not in ("min", "max") or not abs(number) < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no bound such as auc:min:0.78")
    return Bound(metric, direction, number)


def _send(asked: argparse.Namespace) -> int:
    sending = Sending(asked.to, asked.count, asked.per_second)
    good, bad = send(sending, read_requests(asked.requests))
    sys.stdout.write(f"{good} requests were answered, {bad} were not\n")
    return 0 if good else 1


def _judge(asked: argparse.Namespace) -> int:
    promotion = read_promotion(asked.copy_from, asked.copy_to, asked.model_version)
    for name in asked.expect:
        require_family(name)
    demands = Demands(
        expected=("ml_pipeline_info", *(name for name in asked.expect if name != "ml_pipeline_info")),
        requests=asked.least_requests,
        bounds=tuple(asked.quality),
        worse=asked.worse,
        skew=asked.skew,
    )
    candidate = Candidate(asked.environment, asked.pipeline, asked.model_version, asked.track)
    read = partial(read_evidence, Prometheus(asked.prometheus), candidate, demands, asked.present)
    reasons = await_verdict(read, demands, Patience(asked.minutes * 60))
    if promotion and not reasons:
        try:
            promote(promotion, Registry(promotion.source.host, asked.copy_minutes * 60))
        except RegistryError as error:
            reasons = (f"its image was not copied to where production takes it from: {error}",)
    for reason in reasons:
        sys.stderr.write(f"not good: {reason}\n")
    if not reasons:
        copied = f"; production may run {promotion.result}" if promotion else ""
        sys.stdout.write(f"{asked.pipeline} {asked.model_version} is good enough to go on{copied}\n")
    return 1 if reasons else 0
