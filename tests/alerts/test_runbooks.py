"""Runbooks are complete, and what they ask can be asked."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from headroom.alerts.contract import load_contract
from headroom.alerts.promql import parse_promql, selectors
from headroom.alerts.rules import Rule, load_rules
from headroom.cli.main import app

SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation", "Escalation"]
QUERY = re.compile(r"^```promql\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:`|\$ )headroom ([a-z]+)((?: [a-z]+)?)((?: -{1,2}[a-z-]+)*)")


@pytest.fixture(params=load_rules(), ids=lambda rule: rule.name)
def rule(request: pytest.FixtureRequest) -> Rule:
    return request.param


@pytest.fixture
def runbook(root: Path, rule: Rule) -> str:
    return (root / rule.runbook).read_text()


def test_a_runbook_has_every_section_and_something_in_it(rule: Rule, runbook: str) -> None:
    assert runbook.startswith(f"# {rule.name}: ")
    parts = re.split(r"^## (.*)$", runbook, flags=re.MULTILINE)
    assert parts[1::2] == SECTIONS
    assert all(len(text.split()) >= 3 for text in parts[2::2])


def test_a_runbook_asks_what_the_contract_has(runbook: str) -> None:
    contract = load_contract()
    queries = QUERY.findall(runbook)
    for query in queries:
        for selector in selectors(parse_promql(query)):
            known = contract.labels_of(selector.metric)
            assert known is not None, selector.metric
            used = {matcher.label for matcher in selector.matchers} - {"monitored_resource"}
            assert used <= known, (selector.metric, used - known)
    assert queries or "```console" in runbook


def test_a_runbook_diagnoses_with_queries_and_commands(runbook: str) -> None:
    diagnosis = runbook.partition("## Diagnosis")[2].partition("## Mitigation")[0]
    assert "```promql" in diagnosis or "```console" in diagnosis


def test_links_lead_somewhere(root: Path, rule: Rule, runbook: str) -> None:
    folder = (root / rule.runbook).parent
    for target in re.findall(r"\]\(([^)#:]+)\)", runbook):
        assert (folder / target).is_file(), target


def test_commands_of_headroom_exist(runbook: str) -> None:
    command = get_command(app)
    names = getattr(command, "commands", {})
    for found in COMMAND.finditer(runbook):
        assert found[1] in names, found[0]
        sub = names[found[1]]
        if hasattr(sub, "commands"):
            assert found[2].strip() in sub.commands, found[0]
