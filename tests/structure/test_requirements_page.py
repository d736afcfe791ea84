"""docs/requirements.md: what it names is there, and the alerts that it names answer what it says."""

import re
from pathlib import Path

import pytest

from headroom.alerts.requirements import MONITORED
from headroom.alerts.rules import load_rules
from headroom.alerts.security_events import load_security_events

ROW = re.compile(r"^\| (M\d+) \| (?:serving|data|training|validation|all) \| .* \| (.*) \|$", re.MULTILINE)
PATH = re.compile(r"`((?:headroom|infra|bootstrap|sandbox|metrics|dashboards|docs|tests|policies)/[^`]*)`")
ANSWERS = {alert.name: alert.requirements for alert in (*load_rules(), *load_security_events())}


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs" / "requirements.md").read_text()


def test_every_path_on_the_page_is_there(page: str, root: Path) -> None:
    paths = set(PATH.findall(page))
    assert paths
    assert [path for path in sorted(paths) if not (root / path).exists()] == []


def test_every_requirement_to_be_monitored_has_alerts_on_the_page_that_answer_it(page: str) -> None:
    """M1 to M17."""
    rows = {requirement: re.findall(r"`(\w+)`", alerts) for requirement, alerts in ROW.findall(page)}
    assert list(rows) == [*MONITORED, "M17"]
    for requirement, alerts in rows.items():
        assert alerts, requirement
        for alert in alerts:
            assert requirement in ANSWERS.get(alert, ()), (requirement, alert)


def test_every_alert_on_what_must_be_monitored_is_on_the_page(page: str) -> None:
    known = set(re.findall(r"`([A-Z]\w+)`", page))
    monitored = {*MONITORED, "M17"}
    assert {name for name, answers in ANSWERS.items() if monitored.intersection(answers)} - known == set()
