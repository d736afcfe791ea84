"""One result, five formats: each says every finding, its place and what comes of it."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from headroom.report.check_github import render_github
from headroom.report.check_json import parse_check, render_json
from headroom.report.check_junit import render_junit
from headroom.report.check_sarif import render_sarif
from headroom.report.check_text import render_text
from headroom.report.findings import (
    CheckResult,
    Finding,
    Outcome,
    Place,
    RuleNote,
    describe_unusable,
    order_findings,
)
from headroom.spec.errors import Problem, StackFileError

RULES = (
    RuleNote(
        "kept", "What is promised stays.", "Leave it.", "quota", "critical", "mandatory", "Q5", ("CIS 1",)
    ),
    RuleNote("small", "It is small.", "Shrink it.", "quota", "low", "advisory", "Q7"),
    RuleNote("off", "Nobody looks.", "None.", "security", "medium", "disabled", "Q2"),
)
PLACE = Place("Pulumi.dev.yaml", "headroom:pools.l4", 22)


def finding(rule: str, outcome: Outcome, message: str = "keeps 1", **more: Any) -> Finding:
    return Finding(rule, outcome, "high", "dev-pool-l4", message, "raise it", **{"place": PLACE, **more})


def result(*findings: Finding) -> CheckResult:
    return CheckResult("dev", 305, RULES, order_findings(findings, RULES))


FULL = result(
    finding("small", "advice"),
    finding("kept", "refused", "50%, gone\nfor: good"),
    finding("kept", "exempted", exemption="group:a@b.co until 2027-01-01: it moves", place=Place("infra")),
)


def test_what_is_refused_comes_first_and_decides_the_exit_code() -> None:
    assert [each.outcome for each in FULL.findings] == ["refused", "advice", "exempted"]
    assert FULL.exit_code == 1
    assert result(finding("small", "advice")).exit_code == 0
    assert result().exit_code == 0


def test_the_text_has_place_cause_and_remedy_and_counts_by_family() -> None:
    text = render_text(FULL, plain=True)
    assert text.startswith("dev: 305 resources, 3 rules: 1 refused, 1 advice, 1 exempted\n")
    assert "refused  kept (high)  Pulumi.dev.yaml:22 headroom:pools.l4\n" in text
    assert "  dev-pool-l4: keeps 1\n  remedy: raise it\n" in text
    assert "  exempted by: group:a@b.co until 2027-01-01: it moves\n" in text
    assert re.search(r"^quota +2 +1 +1 +1$", text, re.MULTILINE)
    assert re.search(r"^security +1 +0 +0 +0$", text, re.MULTILINE)
    assert "\x1b" not in text


def test_markup_in_a_message_is_text() -> None:
    text = render_text(result(finding("kept", "refused", "[bold]loud[/bold] [/]")), plain=True)
    assert "[bold]loud[/bold] [/]" in text


def test_json_is_read_back_as_it_was() -> None:
    assert parse_check(render_json(FULL).encode(), "f") == FULL
    data = json.loads(render_json(FULL))
    assert data["exit_code"] == 1
    assert data["counts"] == {"refused": 1, "advice": 1, "exempted": 1}


@pytest.mark.parametrize(
    "text", ["", "[]", '{"stack": "dev"}', render_json(FULL).replace('"refused"', '"fine"', 1)]
)
def test_json_of_anything_else_is_refused(text: str) -> None:
    with pytest.raises(
        StackFileError, match=r"^check.json: is not what `headroom check --format json` writes"
    ):
        parse_check(text.encode(), "check.json")


DRAFT_4 = jsonschema.Draft4Validator
SCHEMA = json.loads(Path(__file__).with_name("data").joinpath("sarif-schema-2.1.0.json").read_text())
SARIF = DRAFT_4(SCHEMA)
"""The whole schema of SARIF 2.1.0 as it is published; data/README.md says where."""


def test_the_published_schema_refuses_what_is_no_sarif() -> None:
    DRAFT_4.check_schema(SCHEMA)
    log = json.loads(render_sarif(FULL))
    (run,) = log["runs"]
    run["results"][0]["level"] = "fatal"
    assert not SARIF.is_valid(log)
    run["results"][0]["level"] = "error"
    assert SARIF.is_valid(log)
    run["tool"]["driver"]["rules"][0]["severity"] = "high"
    assert not SARIF.is_valid(log)


@pytest.mark.parametrize("judged", [FULL, result()], ids=["findings", "none"])
def test_sarif_is_valid_and_names_rule_place_and_suppression(judged: CheckResult) -> None:
    log = json.loads(render_sarif(judged))
    SARIF.validate(log)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["kept", "small", "off"]
    assert rules[2]["defaultConfiguration"] == {"level": "none", "enabled": False}
    for each, row in zip(judged.findings, run["results"], strict=True):
        assert rules[row["ruleIndex"]]["id"] == row["ruleId"] == each.rule
        assert row["level"] == {"refused": "error", "advice": "warning", "exempted": "note"}[each.outcome]
        assert bool(each.exemption) == ("suppressions" in row)
        (location,) = row["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == each.place.file


def test_annotations_are_escaped_as_the_runner_reads_them() -> None:
    refused, advice, exempted, last = render_github(FULL).splitlines()
    assert refused == (
        "::error file=Pulumi.dev.yaml,line=22,title=kept (refused)::headroom:pools.l4: "
        "dev-pool-l4: 50%25, gone%0Afor: good; raise it"
    )
    assert advice.startswith("::warning file=Pulumi.dev.yaml,line=22,title=small")
    assert exempted.startswith("::notice file=infra,title=kept (exempted)::dev-pool-l4")
    assert last == "dev: 305 resources, 3 rules: 1 refused, 1 advice, 1 exempted"


def test_a_finding_cannot_give_the_runner_a_command_of_its_own() -> None:
    text = render_github(
        result(finding("kept", "refused", "x\n::stop-commands::y\r\n::error::z", place=Place("a,b:c\n::d")))
    )
    assert [line.split("::")[1] for line in text.splitlines() if line.startswith("::")] == [
        "error file=a%2Cb%3Ac%0A%3A%3Ad,title=kept (refused)"
    ]


def test_junit_has_a_case_for_each_rule() -> None:
    suites = ElementTree.fromstring(render_junit(FULL))
    (suite,) = suites
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "0")
    cases = {case.get("name"): case for case in suite}
    failure = cases["kept"].find("failure")
    assert failure is not None
    assert "50%, gone" in (failure.text or "")
    assert "exempted" in (cases["kept"].findtext("system-out") or "")
    assert cases["small"].find("failure") is None
    assert cases["off"].find("skipped") is not None


def test_junit_holds_no_character_that_xml_cannot() -> None:
    text = render_junit(result(finding("kept", "refused", "\x00\x1b[31m & <b> \ud800")))
    assert "?[31m & <b> ?" in (ElementTree.fromstring(text).findtext("*/*/failure") or "")


def test_files_that_cannot_be_used_are_findings_too_with_their_line() -> None:
    """Bad input is refused rather than passed, in every format."""
    error = StackFileError([Problem("headroom:pools.l4.zones", "is required")], "Pulumi.dev.yaml")
    unusable = describe_unusable("dev", error, {"headroom:pools.l4": 22})
    assert unusable.exit_code == 2
    assert "::error file=Pulumi.dev.yaml,line=22" in render_github(unusable)
    SARIF.validate(json.loads(render_sarif(unusable)))
    assert 'failures="1"' in render_junit(unusable)
    assert parse_check(render_json(unusable).encode(), "f") == unusable
    other = StackFileError([Problem("exemptions[0].expires", "was 2026-01-01")], "policies/settings.yaml")
    (found,) = describe_unusable("dev", other, {"exemptions": 3}).findings
    assert found.place == Place("policies/settings.yaml", "exemptions[0].expires")
