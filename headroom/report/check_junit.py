"""The result of a check as JUnit's XML: a test case for each rule, a failure for what is refused."""

import re
from xml.etree import ElementTree

from headroom.report.findings import CheckResult, Finding, RuleNote

_NOT_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, escaped or not (section 2.2)."""


def render_junit(result: CheckResult) -> str:
    """Return the result as XML text."""
    failed = sum(
        any(each.outcome == "refused" for each in result.of_rule(rule.name)) for rule in result.rules
    )
    counts = {"tests": str(len(result.rules)), "failures": str(failed), "errors": "0"}
    suites = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(suites, "testsuite", {"name": f"headroom check {result.stack}", **counts})
    for rule in result.rules:
        _add_case(suite, rule, result.of_rule(rule.name))
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True)


def _add_case(suite: ElementTree.Element, rule: RuleNote, found: tuple[Finding, ...]) -> None:
    case = ElementTree.SubElement(
        suite, "testcase", {"classname": f"headroom.{rule.family}", "name": rule.name}
    )
    if rule.level == "disabled":
        ElementTree.SubElement(case, "skipped", {"message": "disabled by the settings"})
    if refused := [finding for finding in found if finding.outcome == "refused"]:
        message = f"{len(refused)} refused: {rule.description}"
        failure = ElementTree.SubElement(case, "failure", {"type": rule.severity, "message": message})
        failure.text = _lines(refused)
    if others := [finding for finding in found if finding.outcome != "refused"]:
        ElementTree.SubElement(case, "system-out").text = _lines(others)


def _lines(findings: list[Finding]) -> str:
    text = "\n".join(f"{finding.outcome}: {finding.place}: {finding}" for finding in findings)
    return _NOT_XML.sub("?", text)
