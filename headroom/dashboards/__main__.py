"""Writes the dashboards for Grafana: `python -m headroom.dashboards FOLDER`."""

import json
import sys
from pathlib import Path

from headroom.dashboards.grafana import render_grafana_dashboard
from headroom.dashboards.panels import load_dashboards


def render_files() -> dict[str, str]:
    """Return the files by name, as they are committed."""
    return {
        f"{dashboard.name}.json": json.dumps(render_grafana_dashboard(dashboard), indent=2) + "\n"
        for dashboard in load_dashboards()
    }


def main(folder: str) -> None:
    """Write them to a folder that is there."""
    for name, text in render_files().items():
        (Path(folder) / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
