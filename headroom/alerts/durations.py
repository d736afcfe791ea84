"""Durations as Prometheus writes them: 30s, 10m, 1h30m, 1d."""

import re

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def parse_duration(text: str) -> int:
    """Return seconds. Raises ValueError for what is no duration of whole seconds."""
    parts = re.findall(r"(\d+)([smhdw])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is no duration such as 30s, 10m or 1d")
    return sum(int(number) * _SECONDS[unit] for number, unit in parts)


def format_duration(seconds: int) -> str:
    """Return the duration in the largest units that leave no rest, such as 1h30m."""
    parts = []
    for unit in "dhms":
        count, seconds = divmod(seconds, _SECONDS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
