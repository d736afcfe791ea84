"""The audit's page in a real browser: it shows the right numbers, to everybody, and asks for nothing.

Pictures of it are in the folder that HEADROOM_SCREENSHOTS names, for who wants to look at them.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from headroom.audit.ledger import leading_rows
from headroom.audit.report import Audit
from headroom.audit.snapshot import Unread
from headroom.report.audit_page import pool_card, quota_line, render_page
from headroom.report.audit_page_proposals import list_proposals
from tests.audit.worlds import make_world
from tests.browser.chromium import Page

SCHEMES = ("light", "dark")
WIDTHS = (1280, 390)
A4_WIDTH = 718
"""Of a sheet in portrait, less margins of a centimetre, in the pixels of CSS."""

CARDS = """[...document.querySelectorAll('#pools article')].map(card => ({
  title: card.querySelector('h3').textContent,
  widths: Object.fromEntries([...card.querySelectorAll('svg.bar rect')].map(
    each => [each.getAttribute('class'), each.getBBox().width])),
  numbers: Object.fromEntries([...card.querySelectorAll('td[data-part]')].map(
    each => [each.dataset.part, each.textContent])),
  words: card.querySelector('svg.bar desc').textContent,
}))"""

COLUMN = """[...document.querySelectorAll('#holders tbody tr')].filter(row => !row.hidden).map(
  row => row.cells[%d].textContent)"""

HEAD = "document.querySelectorAll('#holders thead th')"

VIOLATIONS = """axe.run(document, {resultTypes: ['violations']}).then(found => ({
  checked: found.passes.length,
  violations: found.violations.map(each => [each.id, each.impact, each.nodes.map(node => node.html)]),
}))"""


def amount(text: str) -> float:
    return float(text.replace(",", ""))


def test_the_bars_of_the_pools_are_as_wide_as_their_numbers_say(page: Page, url: str, audit: Audit) -> None:
    """Q8: what a bar shows, what stands beside it and what the audit found are the same."""
    page.open(url)
    cards: list[dict[str, Any]] = page.evaluate(CARDS)
    rows = leading_rows(audit.pools)
    assert [each["title"] for each in cards] == [pool_card(row).title for row in rows]
    for card, row in zip(cards, rows, strict=True):
        expected = {kind: text for _, text, kind in pool_card(row).figures if kind}
        assert card["numbers"] == expected
        whole = max(row.share.capacity, row.promised, row.peak or 0)
        size = row.share.capacity / amount(expected["limit"])
        for kind, width in card["widths"].items():
            assert width == pytest.approx(312 * amount(expected[kind]) * size / whole, abs=0.6), kind
    assert {kind for card in cards for kind in card["widths"]} >= {
        "guarantee",
        "headroom",
        "within",
        "borrowed",
    }


def test_a_line_shows_its_peak_its_limit_and_its_gap(page: Page, url: str) -> None:
    page.open(url)
    found = page.evaluate(
        """(() => {
          const card = [...document.querySelectorAll('#pools article')].find(
            each => each.textContent.includes('l4, GPUs'));
          const chart = card.querySelector('svg.line');
          return {
            runs: chart.querySelector('.use').getAttribute('d').split('M').length - 1,
            gaps: chart.querySelectorAll('.gap').length,
            top: chart.querySelector('.use').getBBox().y,
            peak: chart.querySelector('circle').cy.baseVal.value,
            words: chart.querySelector('desc').textContent,
            said: [...chart.querySelectorAll('text')].map(each => each.textContent),
          };
        })()"""
    )
    assert (found["runs"], found["gaps"]) == (2, 1)
    assert found["top"] == pytest.approx(found["peak"], abs=0.2)
    assert "limit 20" in found["said"]
    assert "Peak 14 GPUs" in found["words"]
    assert "Not known in 20 of 112 steps." in found["words"]


def test_the_quotas_say_what_was_found(page: Page, url: str, audit: Audit) -> None:
    page.open(url)
    shown = page.evaluate(
        "[...document.querySelectorAll('#quotas tbody tr')].map(row => "
        "[...row.querySelectorAll('td.n')].map(cell => cell.textContent))"
    )
    lines = [quota_line(row) for row in audit.quotas]
    assert shown == [
        [each.granted, each.promised, each.drawn, each.there, each.used, each.peak, each.full]
        for each in lines
    ]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_and_the_page_is_as_wide_as_the_screen(
    page: Page, url: str, axe: str, width: int, scheme: str
) -> None:
    page.show(width, scheme)
    page.open(url)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    page.evaluate(f"{axe};0")
    found = page.evaluate(VIOLATIONS)
    assert found["checked"] > 20
    assert found["violations"] == []
    if folder := os.environ.get("HEADROOM_SCREENSHOTS"):
        page.screenshot(Path(folder) / f"audit-{width}-{scheme}.png")


def test_axe_would_find_something(page: Page, url: str, axe: str) -> None:
    page.open(url)
    page.evaluate(
        "document.querySelector('.summary').style.color = '#eee'; document.documentElement.lang = ''"
    )
    page.evaluate(f"{axe};0")
    found = {each[0] for each in page.evaluate(VIOLATIONS)["violations"]}
    assert {"html-has-lang", "color-contrast"} <= found


def test_the_colours_follow_the_scheme(page: Page, url: str) -> None:
    page.open(url)
    grounds = []
    for scheme in SCHEMES:
        page.show(1280, scheme)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    page.show(1280, "dark", media="print")
    grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds[0] == grounds[2] != grounds[1]


def test_a_sheet_of_paper_is_wide_enough(page: Page, url: str) -> None:
    page.show(A4_WIDTH, media="print")
    page.open(url)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_nothing_is_asked_for_and_nothing_is_complained_of(page: Page, url: str) -> None:
    page.open(url)
    page.evaluate("new Promise(done => setTimeout(done, 300))")
    assert page.requests == [url]
    assert page.complaints == []


def test_what_a_message_smuggles_in_does_not_run(page: Page, tmp_path: Path) -> None:
    evil = "<script>document.title='taken'</script><img src='http://127.0.0.1:9/x' onerror=\"document.title='taken'\">"
    file = tmp_path / "evil.html"
    file.write_text(render_page(make_world().but(queues=Unread(evil, evil)).audit()), encoding="utf-8")
    page.open(file.as_uri())
    assert page.evaluate("document.title").startswith("Audit of test")
    # Even a hole in the escaping would be stopped: the page's own policy refuses what is put in.
    page.evaluate(f"document.body.insertAdjacentHTML('beforeend', {json.dumps(evil)})")
    page.evaluate("new Promise(done => setTimeout(done, 300))")
    assert page.evaluate("document.title").startswith("Audit of test")
    assert page.complaints
    assert all("Content Security Policy" in each for each in page.complaints)


def test_columns_are_sorted_by_a_press_of_their_heads(page: Page, url: str) -> None:
    page.open(url)
    page.evaluate(f"{HEAD}[6].querySelector('button').click()")
    assert page.evaluate(f"{HEAD}[6].getAttribute('aria-sort')") == "descending"
    found = [amount(each) for each in page.evaluate(COLUMN % 6)]
    assert found == sorted(found, reverse=True)
    page.evaluate(f"{HEAD}[6].querySelector('button').click()")
    assert [amount(each) for each in page.evaluate(COLUMN % 6)] == sorted(found)
    page.evaluate(f"{HEAD}[0].querySelector('button').click()")
    names = page.evaluate(COLUMN % 0)
    assert names == sorted(names)
    assert page.evaluate(f"{HEAD}[6].getAttribute('aria-sort')") is None


def test_what_is_not_known_is_sorted_to_the_end(page: Page, world: Any, tmp_path: Path) -> None:
    blind = world.value("queue_use")
    known = tuple(each for each in blind if each.queue != "rank")
    file = tmp_path / "blind.html"
    audit = world.but(queue_use=known, queues=Unread("away")).audit()
    file.write_text(render_page(audit), encoding="utf-8")
    page.open(file.as_uri())
    for _ in range(2):
        page.evaluate(f"{HEAD}[6].querySelector('button').click()")
        assert page.evaluate(COLUMN % 6)[-1] == "?"


def test_rows_are_filtered_by_what_is_typed(page: Page, url: str) -> None:
    page.open(url)
    page.evaluate(
        "(() => { const input = document.querySelector('.filter input'); input.value = 'ADA@'; "
        "input.dispatchEvent(new Event('input')); })()"
    )
    assert page.evaluate(COLUMN % 0) == ["rank"]
    assert page.evaluate("document.querySelector('.filter [role=status]').textContent") == "1 of 9 rows"


def test_the_keyboard_reaches_the_findings_and_the_heads(page: Page, url: str) -> None:
    page.open(url)
    page.press("Tab", 9)
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.press("Enter", 13)
    assert page.evaluate("document.activeElement.id") == "main"
    page.evaluate(f"{HEAD}[0].querySelector('button').focus()")
    page.press("Enter", 13)
    assert page.evaluate(f"{HEAD}[0].getAttribute('aria-sort')") == "ascending"


def test_without_scripts_everything_is_there(page: Page, url: str, audit: Audit) -> None:
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    page.open(url)
    shown = page.evaluate("document.querySelectorAll('#holders tbody tr').length")
    assert shown == sum(len(row.holdings) for row in leading_rows(audit.pools))
    assert page.evaluate("document.querySelectorAll('button').length") == 0


PROPOSED = """[...document.querySelectorAll('#proposals tbody')].map(body => ({
  pipeline: body.querySelector('th').textContent,
  rows: [...body.rows].map(row => [...row.querySelectorAll('td.n')].map(cell => cell.textContent)),
}))"""


def test_proposals_show_what_is_and_what_would_be(page: Page, url: str, audit: Audit) -> None:
    """Q4, Q8."""
    page.open(url)
    expected = [
        {"pipeline": each.pipeline, "rows": [[row.now, row.proposed] for row in each.rows]}
        for each in list_proposals(audit.proposals)
    ]
    assert expected
    assert page.evaluate(PROPOSED) == expected


def test_the_patch_opens_by_the_keyboard_and_is_whole(page: Page, url: str, patch: str) -> None:
    page.open(url)
    shown = "document.querySelector('#proposals details pre').checkVisibility()"
    assert page.evaluate(shown) is False
    page.evaluate("document.querySelector('#proposals summary').focus()")
    page.press("Enter", 13)
    assert page.evaluate(shown) is True
    assert page.evaluate("document.querySelector('#proposals pre').textContent") == patch


@pytest.mark.parametrize("width", WIDTHS)
def test_an_open_patch_keeps_nobody_out_and_no_page_wider(page: Page, url: str, axe: str, width: int) -> None:
    page.show(width)
    page.open(url)
    page.evaluate("document.querySelector('#proposals details').open = true")
    page.evaluate(axe)
    found = page.evaluate(VIOLATIONS)
    assert found["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    if folder := os.environ.get("HEADROOM_SCREENSHOTS"):
        page.screenshot(Path(folder) / f"proposals-{width}.png")
