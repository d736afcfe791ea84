"""`headroom advise`: which hardware suits a model."""

import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headroom.cli.options import complete_pipeline, complete_stack

if TYPE_CHECKING:
    from headroom.planning.advice import Advice, Workload
    from headroom.planning.node_pools import PoolPlan
    from headroom.spec.models import Model
    from headroom.spec.pipelines import Pipeline
    from headroom.spec.platform import Platform
    from headroom.spec.prices import MachinePrice

USUAL_REGION = "us-central1"
_STACK, _MODEL, _WORK = "The stack", "The model", "What it is to do"

Stack = Annotated[
    str | None,
    typer.Option(
        "--stack",
        "-s",
        help="Stack to compare with.",
        rich_help_panel=_STACK,
        autocompletion=complete_stack,
    ),
]
PipelineName = Annotated[
    str | None,
    typer.Option(
        "--pipeline",
        "-p",
        help="Pipeline of the stack: its model, its pools.",
        rich_help_panel=_STACK,
        autocompletion=complete_pipeline,
    ),
]
Region = Annotated[
    str | None, typer.Option(help=f"By default the stack's, else {USUAL_REGION}.", rich_help_panel=_STACK)
]
Architecture = Annotated[
    str | None,
    typer.Option(
        "--architecture", "-a", help="transformer, convolutional, embedding or trees.", rich_help_panel=_MODEL
    ),
]
Parameters = Annotated[str | None, typer.Option(help="Such as 8B.", rich_help_panel=_MODEL)]
ActiveParameters = Annotated[
    str | None, typer.Option(help="Those that a token passes: mixtures of experts.", rich_help_panel=_MODEL)
]
PrecisionName = Annotated[
    str | None, typer.Option(help="bf16, fp8, int8, int4 or fp32, of the weights.", rich_help_panel=_MODEL)
]
Context = Annotated[int | None, typer.Option(help="Tokens of a sequence at most.", rich_help_panel=_MODEL)]
Details = Annotated[
    list[str] | None,
    typer.Option("--set", help="KEY=VALUE: any other key of headroom:models.", rich_help_panel=_MODEL),
]
Training = Annotated[
    str | None,
    typer.Option(
        "--training", help="Train it on so many tokens or samples, such as 1T.", rich_help_panel=_WORK
    ),
]
Hours = Annotated[
    float | None, typer.Option(min=0.01, help="Deadline of the training.", rich_help_panel=_WORK)
]
Requests = Annotated[
    float | None,
    typer.Option("--requests-per-second", min=0.001, help="Serve so many requests.", rich_help_panel=_WORK),
]
Tokens = Annotated[
    float | None,
    typer.Option(
        "--tokens-per-second", min=0.001, help="Serve so many tokens of answers.", rich_help_panel=_WORK
    ),
]
Prompt = Annotated[int, typer.Option("--prompt", min=1, help="Tokens of a request.", rich_help_panel=_WORK)]
Answer = Annotated[int, typer.Option("--answer", min=0, help="Tokens of its answer.", rich_help_panel=_WORK)]
Batch = Annotated[
    int | None, typer.Option(min=1, help="Requests in flight at most in each copy.", rich_help_panel=_WORK)
]


@dataclass(frozen=True, slots=True)
class _Setting:
    """What a stack adds: the pools to compare with, its prices, its model."""

    region: str
    prices: "dict[str, MachinePrice]"
    pools: "tuple[PoolPlan, ...]"
    pipeline: "Pipeline | None"
    model: dict[str, Any]


def advise(
    stack: Stack = None,
    pipeline: PipelineName = None,
    region: Region = None,
    architecture: Architecture = None,
    parameters: Parameters = None,
    active_parameters: ActiveParameters = None,
    precision: PrecisionName = None,
    context: Context = None,
    details: Details = None,
    training: Training = None,
    hours: Hours = None,
    requests: Requests = None,
    tokens: Tokens = None,
    prompt: Prompt = 1_000,
    answer: Answer = 250,
    batch: Batch = None,
    every: Annotated[bool, typer.Option("--all", help="Show every machine type.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
) -> None:
    """Weigh hardware for a model: what holds it, what is fastest, what is cheapest, what suits it.

    The model is given by options, or is what the stack file's headroom:models says of the pipeline's; options
    then override it. Speeds are estimates from published figures, prices list prices of a stated day.

    Exit code 0: answered. 2: the options or the stack file cannot be used.

    Examples:
      headroom advise --parameters 8B --precision fp8 --requests-per-second 20

      headroom advise -s prod --pipeline assistant-training --training 1T --hours 336
    """
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    setting = _read_setting(stack, pipeline, region)
    given: dict[str, Any] = {"architecture": architecture, "parameters": parameters, "context": context}
    given |= {"active_parameters": active_parameters, "precision": precision, **_read_details(details or [])}
    model = _read_model(setting.model, {key: value for key, value in given.items() if value is not None})
    work = _Work(training, hours, requests, tokens, prompt, answer, batch)
    _answer(model, _read_workload(model, work, setting.pipeline), setting, every=every, as_json=as_json)


@dataclass(frozen=True, slots=True)
class _Work:
    """The options that say what the model is to do."""

    training: str | None
    hours: float | None
    requests: float | None
    tokens: float | None
    prompt: int
    answer: int
    batch: int | None


def _answer(model: "Model", workload: "Workload", setting: _Setting, *, every: bool, as_json: bool) -> None:
    from datetime import UTC, datetime

    from headroom.planning.advice import advise as weigh
    from headroom.planning.architecture import explain_architecture

    advice = weigh(model, workload, setting.region, setting.prices, setting.pools)
    example = advice.cheapest[0][1] if advice.cheapest else advice.fastest
    reasons = explain_architecture(model, workload, example)
    today = datetime.now(UTC).date()
    if as_json:
        from headroom.report.advice_json import render_advice

        sys.stdout.write(render_advice(advice, reasons, today) + "\n")
    else:
        from headroom.report.advice_table import print_advice

        print_advice(advice, _title(model, advice), reasons, today, every=every)


def _title(model: "Model", advice: "Advice") -> str:
    size = getattr(model, "parameters", None) or getattr(model, "rows", 0)
    what = "parameters" if hasattr(model, "parameters") else "rows"
    return f"{model.architecture}, {size:,} {what}: hardware for {advice.phase} in {advice.region}"


def _read_setting(stack: str | None, pipeline: str | None, region: str | None) -> _Setting:
    from headroom.catalog.zones import regions
    from headroom.spec.errors import suggest

    if region is not None and region not in regions():
        raise _refuse("--region", "is no region of Google Cloud" + suggest(region, regions()))
    if stack is None:
        if pipeline is not None:
            raise _refuse("--pipeline", "is one of a stack; name the stack with --stack")
        return _Setting(region or USUAL_REGION, {}, (), None, {})
    return _read_stack(stack, pipeline, region)


def _read_stack(stack: str, pipeline: str | None, region: str | None) -> _Setting:
    from headroom.cli.project import find_stack_file
    from headroom.planning.plan import assess
    from headroom.spec.stack_file import load_config, load_neighbours, parse_config

    path = find_stack_file(stack)
    config = load_config(path)
    platform = parse_config(config, path.name)
    chosen = _find_pipeline(platform, pipeline, path.name) if pipeline else None
    pools = [
        pool
        for pool in assess(platform, stack, load_neighbours(config, path.parent)).pools
        if (pool.name in chosen.pools if chosen else pool.accelerator is not None)
    ]
    model = platform.models.get(chosen.model) if chosen else None
    described = model.model_dump(exclude_unset=True) if model else {}
    return _Setting(region or platform.region, platform.prices, tuple(pools), chosen, described)


def _find_pipeline(platform: "Platform", name: str, file: str) -> "Pipeline":
    from headroom.spec.errors import Problem, StackFileError, suggest

    if name not in platform.pipelines:
        problem = Problem("--pipeline", "is no pipeline of this stack" + suggest(name, platform.pipelines))
        raise StackFileError([problem], file)
    return platform.pipelines[name]


def _read_details(details: list[str]) -> dict[str, Any]:
    pairs = [detail.partition("=") for detail in details]
    for key, sign, value in pairs:
        if not (key and sign and value):
            raise _refuse("--set", "must be KEY=VALUE, such as --set layers=32")
    return {key: int(value) if value.isdigit() else value for key, _, value in pairs}


def _read_model(described: dict[str, Any], given: dict[str, Any]) -> "Model":
    """Return the model that the stack file describes, with what the options change of it."""
    from pydantic import TypeAdapter, ValidationError

    from headroom.spec.errors import StackFileError
    from headroom.spec.explain import explain
    from headroom.spec.models import Model

    same = given.get("architecture") in (None, described.get("architecture"))
    data = {"architecture": "transformer"} | (described if same else {}) | given
    if "parameters" not in data and data["architecture"] in ("transformer", "convolutional"):
        raise _refuse(
            "--parameters",
            "is required, such as --parameters 8B; or describe the model in headroom:models of the stack "
            "file and name a pipeline of it with --stack and --pipeline",
        )
    adapter: TypeAdapter[Model] = TypeAdapter(Model)
    try:
        return adapter.validate_python(data)
    except ValidationError as error:
        raise StackFileError(explain(error, data, adapter.json_schema()), "the model") from None


def _read_workload(model: "Model", work: _Work, pipeline: "Pipeline | None") -> "Workload":
    from headroom.planning.hardware_options import Serving, Training
    from headroom.spec.models import Transformer, Trees

    if isinstance(model, Trees):
        if work.requests is not None or work.tokens is not None or (pipeline and pipeline.kind == "serving"):
            raise _refuse(
                "--architecture", "is trees, and nothing is published of how fast these serve: measure it"
            )
        return Training(model.rows, work.hours)
    if work.training is not None:
        return _read_training(work)
    if work.hours is not None:
        raise _refuse("--hours", "is the deadline of a training; say how much with --training, such as 1T")
    if pipeline is not None and pipeline.kind != "serving":
        raise _refuse("--training", f"is required, such as 1T: the pipeline is of the kind {pipeline.kind}")
    if work.requests is not None and work.tokens is not None:
        raise _refuse("--tokens-per-second", "is given beside --requests-per-second; give one of them")
    if isinstance(model, Transformer) and work.prompt + work.answer > model.context:
        raise _refuse(
            "--context",
            f"is {model.context:,}, less than prompt and answer together; raise it or shorten them",
        )
    return Serving(_read_rate(work, pipeline), work.prompt, work.answer, work.batch)


def _read_training(work: _Work) -> "Workload":
    from headroom.planning.hardware_options import Training
    from headroom.spec.models import parse_count

    if work.requests is not None or work.tokens is not None:
        raise _refuse("--training", "is given beside a rate of serving; give one of them")
    try:
        return Training(parse_count(work.training), work.hours)
    except ValueError as error:
        raise _refuse("--training", str(error)) from None


def _read_rate(work: _Work, pipeline: "Pipeline | None") -> float | None:
    """Return the requests a second, by default those that the pipeline's demand predicts."""
    if work.tokens is not None:
        if not work.answer:
            raise _refuse("--tokens-per-second", "counts tokens of answers, and --answer is 0")
        return work.tokens / work.answer
    if work.requests is None and pipeline is not None and pipeline.kind == "serving" and pipeline.demand:
        return pipeline.demand.qps
    return work.requests


def _refuse(option: str, message: str) -> Exception:
    from headroom.spec.errors import Problem, StackFileError

    return StackFileError([Problem(option, message)])
