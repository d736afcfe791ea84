"""The comment on a pull request: findings first, nothing in it is markup, and it always fits."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.planning.changes import compare_plans
from headroom.planning.plan import plan_config
from headroom.planning.preview import PreviewSummary, Step
from headroom.report.comment import LIMIT, MARKER, StackReport, code, plain, render_comment
from headroom.report.findings import CheckResult, Finding, Outcome, Place, RuleNote
from tests.conftest import MINIMAL

RULES = tuple(RuleNote(f"rule-{n}", "d", "r", "quota", "high", "mandatory", "Q5") for n in range(3))


def finding(number: int, outcome: Outcome = "refused") -> Finding:
    message = f"finding {number} of {outcome} " + "x" * 60
    return Finding(
        f"rule-{number % 3}", outcome, "high", f"dev-{number}", message, "mend it", Place("f", "k", 3)
    )


def check(refused: int, advice: int = 0, stack: str = "dev") -> CheckResult:
    found = [*map(finding, range(refused)), *(finding(n, "advice") for n in range(advice))]
    return CheckResult(stack, 9, RULES, tuple(found))


def preview(replaced: int = 0, others: int = 0) -> PreviewSummary:
    steps = tuple(Step("gcp:container/nodePool:NodePool", f"gone-{n}") for n in range(replaced))
    rest = tuple(("update", Step("t", f"other-{n}")) for n in range(others))
    return PreviewSummary("dev", (("replace", replaced), ("update", others)), steps, (), rest, ())


def report(**more: Any) -> StackReport:
    pools = {f"cpu-{n}": {"machine": "n2-standard-16", "nodes": {"max": 4}} for n in range(60)}
    before = plan_config(dict(MINIMAL), "dev", "f")
    after = plan_config(MINIMAL | {"headroom:pools": pools}, "dev", "f")
    return StackReport("dev", compare_plans(before, after, None), **more)


def test_the_parts_stand_in_the_order_in_which_they_matter() -> None:
    """Job 2: one comment with the findings, the quota before and after, and what would be done."""
    text = render_comment([report(check=check(2, 1), preview=preview(1, 1))])
    parts = (
        MARKER,
        "## headroom: 2 refused, 1 to look at twice",
        "### Refused in `dev`",
        "finding 1 of refused",
        "new pools: cpu",
        "pools that go: cpu",
        "**replaced** `gone-0`",
        "#### How pools are shared",
        "#### Quotas of Google Cloud",
        "### To look at twice",
    )
    places = [text.find(part) for part in parts]
    assert -1 not in places, dict(zip(parts, places, strict=True))
    assert [
        place for part, place in zip(parts, places, strict=True) if not part.startswith("pools that go")
    ] == (
        sorted(
            place for part, place in zip(parts, places, strict=True) if not part.startswith("pools that go")
        )
    )


def test_a_stack_that_was_not_checked_is_not_said_to_be_fine() -> None:
    assert "## headroom: not checked: `dev`" in render_comment([report()])
    other = StackReport("prod", None, problem="Pulumi.prod.yaml: is bad")
    text = render_comment([report(check=check(0)), other])
    assert "nothing refused, 0 to look at twice, not checked: `prod`" in text
    assert "Pulumi.prod.yaml: is bad" in text


def test_rows_are_left_out_of_the_middle_and_counted() -> None:
    text = render_comment([report(check=check(3), preview=preview(2, 500))], limit=12_000)
    assert len(text) <= 12_000
    (gap,) = re.findall(r"^- …(\d+) more$", text, re.MULTILINE)
    assert len(re.findall(r"`other-\d+`", text)) == 500 - int(gap)
    assert "`other-0`" in text
    assert "`other-499`" in text
    for number in range(3):
        assert f"finding {number} of refused" in text
    for number in range(2):
        assert f"`gone-{number}`" in text


def test_findings_that_refuse_are_never_lost() -> None:
    text = render_comment([report(check=check(5_000, 100), preview=preview(5, 500))])
    assert len(text) <= LIMIT
    assert sum(map(int, re.findall(r"\*\*rule\\?-\d\*\*: (\d+) refused", text))) == 5_000
    assert "5000 refused" in text
    assert "dev-0, dev-3" in text


@given(
    st.integers(0, 400),
    st.integers(0, 400),
    st.integers(0, 400),
    st.integers(0, 300),
    st.integers(2_000, 70_000),
)
def test_it_always_fits(refused: int, advice: int, others: int, replaced: int, limit: int) -> None:
    reports = [
        StackReport("dev", None, preview(replaced, others), check(refused, advice)),
        StackReport("prod", None, None, check(refused, 0, "prod")),
    ]
    text = render_comment(reports, limit=limit)
    assert len(text) <= limit
    assert text.startswith(f"{MARKER}\n## headroom: ")
    if refused:
        assert f"{2 * refused} refused" in text
        for number in range(min(refused, 3)):
            assert f"rule-{number}" in text


@pytest.mark.parametrize(
    "text", ["a|b", "`x` `y", "<img src=x>", "[a](javascript:b)", "@everyone", "a\nb\n# c"]
)
def test_nothing_that_is_said_is_markup(text: str) -> None:
    shown = plain(text)
    assert not re.search(r"(?<!\\)[|`<>\[\]*#]", shown)
    assert not re.search(r"@\w", shown)
    assert "\n" not in shown + code(text)
    assert code(text).count("`") == 2
    assert not re.search(r"(?<!\\)\|", code(text))
