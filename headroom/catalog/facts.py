"""The data files of the catalog: each is a list of groups of rows that name their source and its date.

The date is that of the source's version, or the day on which it was read where it has none.
"""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

_DATA = Path(__file__).parent / "data"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def load_facts(name: str) -> tuple[dict[str, Any], ...]:
    """Return the rows of the data file `name`, read once for each process.

    The file belongs to the package, so one that is missing or malformed is a defect and raises.
    """
    text = (_DATA / f"{name}.yaml").read_text(encoding="utf-8")
    return tuple(yaml.load(text, Loader=_LOADER))  # noqa: S506 - either loader is a safe one


def fact_files() -> tuple[str, ...]:
    """Return the names of all data files, for checks that hold for each of them."""
    return tuple(sorted(path.stem for path in _DATA.glob("*.yaml")))


def parse_pairs(text: str) -> dict[str, str]:
    """Return the `key=value` pairs that a row writes side by side."""
    return dict(pair.split("=", 1) for pair in text.split())
