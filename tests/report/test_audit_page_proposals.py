"""Proposals on the audit's page: now, proposed and why, the needy first, and no more than a page has room for."""

from dataclasses import replace

import pytest

from headroom.audit.report import Audit
from headroom.audit.snapshot import NOT_ASKED, Unread
from headroom.planning.comparison import new_limits
from headroom.report.audit_page import render_page
from headroom.report.audit_page_proposals import MOST_PATCH_LINES, MOST_PIPELINES, Patch, list_proposals
from tests.audit.worlds import flat, make_world
from tests.report.test_audit_page import Document

WORLD = make_world()


@pytest.fixture(scope="module")
def audit() -> Audit:
    return WORLD.used("rank", "l4", "gpus", flat(16)).used("draw", "v5e", "chips", flat(2)).audit()


def section(text: str) -> str:
    return text.partition('<section id="proposals"')[2].partition("</section>")[0]


def test_what_is_listed_is_what_the_patch_would_change(audit: Audit) -> None:
    """Q4, Q8."""
    listed = {
        (each.pipeline, row.pool, row.unit) for each in list_proposals(audit.proposals) for row in each.rows
    }
    units = {"cpu": "cores", "memory": "GiB", "gpus": "GPUs", "chips": "TPU chips"}
    changed = {
        (name, pool, units[resource])
        for name, pools in new_limits(audit.proposals).items()
        for pool, resources in pools.items()
        for resource in resources
    }
    assert listed == changed
    assert listed


def test_who_needs_more_than_its_cap_comes_first(audit: Audit) -> None:
    first, *others = list_proposals(audit.proposals)
    assert first.pipeline == "rank"
    assert [row.more for row in first.rows] == [True]
    assert not any(row.more for each in others for row in each.rows)


def test_the_page_says_now_proposed_and_why(audit: Audit) -> None:
    row = Document(section(render_page(audit))).row("rank", "l4")
    assert row[:4] == ["rank", "l4", "GPUs", "8 to 12"]
    guarantee, cap = map(float, row[4].split(" to "))
    assert cap > 12
    assert 8 < guarantee <= cap
    assert row[5].startswith("observed 15 days of gpus: mean 16")


def test_the_patch_stands_on_the_page_as_text(audit: Audit) -> None:
    text = section(render_page(audit, Patch("-    limits: {a}\n+    limits: {<b>}")))
    assert "+    limits: {&lt;b&gt;}" in text
    assert "<details>" in text
    assert "<code>--write-limits</code>" in text


def test_a_patch_that_cannot_be_made_says_why(audit: Audit) -> None:
    text = section(render_page(audit, Patch(refusal="does not stand in this file")))
    assert "The stack file cannot be changed in place: does not stand in this file" in text
    assert "<details>" not in text


def test_without_use_there_is_nothing_to_propose_by() -> None:
    """Unknown is not fine."""
    text = section(render_page(WORLD.but(queue_use=Unread(NOT_ASKED, asked=False)).audit()))
    assert "No use is known" in text
    assert "fit" not in text


def test_limits_that_fit_are_left(audit: Audit) -> None:
    fitting = [each for each in audit.proposals if not list_proposals([each])]
    text = section(render_page(replace(audit, proposals=(replace(audit.proposals[0], lines=()), *fitting))))
    assert "The limits fit what was used." in text


def test_of_many_the_page_shows_some_and_says_how_many_there_are(audit: Audit) -> None:
    (rank,) = (each for each in audit.proposals if each.pipeline == "rank")
    many = tuple(replace(rank, pipeline=f"p{number:03}") for number in range(MOST_PIPELINES + 3))
    patch = Patch("\n".join(["+"] * (MOST_PATCH_LINES + 7)))
    text = section(render_page(replace(audit, proposals=many), patch))
    assert text.count('scope="rowgroup"') == MOST_PIPELINES
    assert "those of 3 more pipelines" in text
    assert "And 7 more lines" in text
