"""Names by which one entry of a stack file refers to another, told even of entries that are not well formed.

A name is known as soon as its entry is there, whatever is wrong within it. So these are the problems of the
whole file, where those of what is left of it would miss names that were left out.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from headroom.spec.errors import Problem, join_path, suggest
from headroom.spec.forms import NAME

_NAMES_NONE = re.compile(
    r"names no pool of this stack|is the model of no pipeline|is no channel of this stack"
    r"|owns no pipeline of this stack|is no pipeline of this stack"
)


def check_references(config: Mapping[str, Any]) -> list[Problem]:
    """Return the names of pools, models and channels that the entries of a `config:` have wrong."""
    return [*_check_pools(config), *_check_models(config), *_check_channels(config)]


def is_of_reference(problem: Problem) -> bool:
    """Return whether a problem may be of a name whose entry was only left out; `check_references` knows."""
    return bool(_NAMES_NONE.match(problem.message))


def _check_pools(config: Mapping[str, Any]) -> Iterator[Problem]:
    pools = set(map(str, _mapping(config, "headroom:pools")))
    if not pools:
        return
    named = [
        (("headroom:pipelines", str(name), *keys), pool)
        for name, pipeline in _mapping(config, "headroom:pipelines").items()
        for keys, pool in _pools_of(pipeline)
    ]
    bounded = _mapping(_mapping(config, "headroom:quota").get("experiments"), "pools")
    named += [(("headroom:quota", "experiments", "pools", str(pool)), str(pool)) for pool in bounded]
    for path, pool in named:
        if pool not in pools:
            yield Problem(join_path(path), "names no pool of this stack" + _suggest(pool, pools))


def _pools_of(pipeline: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    for pool in _mapping(pipeline, "limits"):
        yield ("limits", str(pool)), str(pool)
    demanded = _mapping(pipeline, "demand").get("pool")
    if isinstance(demanded, str):
        yield ("demand", "pool"), demanded


def _check_models(config: Mapping[str, Any]) -> Iterator[Problem]:
    pipelines = _mapping(config, "headroom:pipelines").values()
    named = [pipeline.get("model") if isinstance(pipeline, Mapping) else None for pipeline in pipelines]
    used = [model for model in named if isinstance(model, str)]
    if len(used) < len(named):
        return
    for model in _mapping(config, "headroom:models"):
        if model not in used:
            path = join_path(["headroom:models", str(model)])
            yield Problem(path, "is the model of no pipeline" + _suggest(model, used))


def _check_channels(config: Mapping[str, Any]) -> Iterator[Problem]:
    alerting = _mapping(config, "headroom:alerting")
    channels, routes = set(map(str, _mapping(alerting, "channels"))), _mapping(alerting, "routes")
    for urgency, names in routes.items() if channels else ():
        for number, name in enumerate(names if isinstance(names, list) else ()):
            if isinstance(name, str) and name not in channels:
                path = join_path(["headroom:alerting", "routes", str(urgency), number])
                yield Problem(path, "is no channel of this stack" + _suggest(name, channels))


def _suggest(given: str, known: Iterable[str]) -> str:
    """Names that have the form of one alone: anything else may have got there by mistake, a secret too."""
    return suggest(given, [name for name in known if re.fullmatch(NAME, name)])


def _mapping(data: Any, key: str) -> Mapping[Any, Any]:
    """What lies under a key, if it is a mapping; nothing else is read here."""
    found = data.get(key) if isinstance(data, Mapping) else None
    return found if isinstance(found, Mapping) else {}
