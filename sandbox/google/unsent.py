"""Properties that the official provider accepts and never sends to Google: they are asked for in vain."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.google.facts import load_table
from sandbox.provider.wire import reveal


def as_answered(token: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties as Google answers them: without what was not sent, and with what it says instead."""
    if token not in load_table("unsent"):
        return dict(properties)
    answered = copy.deepcopy(dict(properties))
    for row in _rows(token, properties):
        for path in row["unsent"]:
            _remove(answered, path)
        for path, value in row["answered"].items():
            _replace(answered, path, value)
    return answered


def compare_as_sent(
    token: str, olds: Mapping[str, Any], news: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Old and new inputs as the official provider compares them: with its state, which lacks what was unsent.

    What Google dictates is left out of both, since the provider suppresses a difference in it.
    """
    if token not in load_table("unsent"):
        return dict(olds), dict(news)
    before, after = as_answered(token, reveal(dict(olds))), copy.deepcopy(reveal(dict(news)))
    for row in _rows(token, after):
        for path in row["answered"]:
            _remove(before, path)
            _remove(after, path)
    return before, after


def _rows(token: str, properties: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for row in load_table("unsent").get(token, ()):
        if all(_find(properties, path) == value for path, value in row["when"].items()):
            yield row


def _find(properties: Any, path: str) -> Any:
    for part in path.split("."):
        properties = properties.get(part) if isinstance(properties, Mapping) else None
    return properties


def _remove(properties: dict[str, Any], path: str) -> None:
    *parents, last = path.split(".")
    holder = _find(properties, ".".join(parents)) if parents else properties
    if isinstance(holder, dict):
        holder.pop(last, None)


def _replace(properties: dict[str, Any], path: str, value: Any) -> None:
    if _find(properties, path) is not None:
        *parents, last = path.split(".")
        _find(properties, ".".join(parents))[last] = value
