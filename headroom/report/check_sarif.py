"""The result of a check as SARIF 2.1.0 (OASIS, errata 01), which code scanning reads."""

import json
from typing import Any

from headroom.report.findings import CheckResult, Finding, RuleNote

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"refused": "error", "advice": "warning", "exempted": "note"}
_RULE_LEVELS = {"mandatory": "error", "advisory": "warning"}
_SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0"}
"""What GitHub orders alerts by: above 9.0 critical, 7.0 high, 4.0 medium, else low."""


def render_sarif(result: CheckResult) -> str:
    """Return the result as a SARIF log of one run; what is exempted is marked as suppressed."""
    numbers = {rule.name: number for number, rule in enumerate(result.rules)}
    run = {
        "tool": {"driver": {"name": "headroom", "rules": [_rule(rule) for rule in result.rules]}},
        "automationDetails": {"id": f"headroom/{result.stack}"},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": result.judged, "exitCode": result.exit_code}],
        "results": [_result(finding, numbers[finding.rule], result.stack) for finding in result.findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(rule: RuleNote) -> dict[str, Any]:
    return {
        "id": rule.name,
        "name": rule.name,
        "shortDescription": {"text": rule.description},
        "help": {"text": rule.remedy},
        "defaultConfiguration": {
            "level": _RULE_LEVELS.get(rule.level, "none"),
            "enabled": rule.level != "disabled",
        },
        "properties": {
            "tags": [rule.family, rule.reference, *rule.frameworks],
            "problem.severity": _RULE_LEVELS.get(rule.level, "recommendation"),
            "security-severity": _SCORES[rule.severity],
        },
    }


def _result(finding: Finding, number: int, stack: str) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": finding.place.file}}
    if finding.place.line:
        location["region"] = {"startLine": finding.place.line}
    held: dict[str, Any] = {"physicalLocation": location}
    if name := finding.place.key or finding.resource:
        held["logicalLocations"] = [{"fullyQualifiedName": name}]
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": number,
        "level": _LEVELS[finding.outcome],
        "message": {"text": str(finding)},
        "locations": [held],
        "partialFingerprints": {"headroom/v1": f"{stack}/{finding.rule}/{finding.resource}"},
    }
    if finding.exemption:
        result["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": finding.exemption}
        ]
    return result
