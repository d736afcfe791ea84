"""The audit as a page: what it says, what it is made of, and that it stays small and harmless."""

import base64
import hashlib
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from headroom.audit.findings import Finding
from headroom.audit.history import compare, note
from headroom.audit.snapshot import NOT_ASKED, Unread
from headroom.report.audit_page import MOST_MOVES, render_page
from headroom.report.audit_page_rows import MOST_ALIKE
from tests.audit.worlds import CONFIG, NOW, World, flat, make_world

VOID = {"meta", "input", "br", "link"}


class Document(HTMLParser):
    """The text of each table cell and the attributes of each element; raises where a tag is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.rows and ("td" in self.open or "th" in self.open):
            self.rows[-1][-1] += data

    def row(self, *begin: str) -> list[str]:
        return next(row for row in self.rows if row[: len(begin)] == list(begin))


@pytest.fixture(scope="module")
def healthy() -> World:
    return make_world()


def test_findings_come_first_and_say_what_to_do(healthy: World) -> None:
    """Q8."""
    text = render_page(healthy.used("rank", "l4", "gpus", flat(13)).audit())
    assert text.index("holds 13 gpus") < text.index('id="pools"')
    assert "<b>To do:</b>" in text
    assert "<h3>Errors: 1</h3>" in text
    assert "Nothing was found" not in text


def test_a_healthy_world_has_nothing_to_find(healthy: World) -> None:
    text = render_page(healthy.audit())
    assert "Nothing was found in what could be read." in text
    assert "Not everything could be read" not in text


def test_who_holds_what_is_listed_by_pipeline_and_by_owner(healthy: World) -> None:
    """Q8: guarantee, cap, use, borrowed and peak, per pipeline and owner."""
    page = Document(render_page(healthy.used("rank", "l4", "gpus", flat(10)).audit()))
    row = page.row("rank", "user:ada@acme.example")
    assert [cell for cell in row if cell] == [
        *("rank", "user:ada@acme.example", "l4", "GPUs"),
        *("8", "12", "10", "2", "10", "0"),
    ]
    assert page.row("user:ada@acme.example", "l4") == [
        *("user:ada@acme.example", "l4", "GPUs", "1"),
        *("8", "12", "10"),
    ]
    assert page.row("etl", "group:data@acme.example", "cpu", "GiB")[4:7] == ["64", "96", "32"]


def test_an_owner_has_the_sum_of_his_queues() -> None:
    owned = {
        name: each | {"owner": "user:ada@acme.example"} for name, each in CONFIG["headroom:pipelines"].items()
    }
    page = Document(render_page(make_world(pipelines=owned).audit()))
    assert page.row("user:ada@acme.example", "l4")[2:] == ["GPUs", "2", "12", "20", "6"]


def test_what_is_not_known_is_a_question_mark_and_its_source_says_why(healthy: World) -> None:
    world = healthy.but(queues=Unread("no way there", "kubectl get nodes"), queue_use=Unread("down"))
    text = render_page(world.audit())
    page = Document(text)
    assert page.row("rank", "user:ada@acme.example")[6:9] == ["?", "", "?"]
    assert page.row("user:ada@acme.example", "l4")[-1] == "?"
    assert text.index("Not everything could be read") < text.index("no way there")
    assert "What was used over time is not known." in text
    assert "Not asked:" not in text
    assert page.row("queues", "unreachable")[-1] == "no way there; kubectl get nodes"


def test_sources_that_nobody_asked_are_named_and_are_no_fault(healthy: World) -> None:
    text = render_page(healthy.but(deployed=Unread(NOT_ASKED, asked=False)).audit())
    assert "Not asked: stack state." in text
    assert "Not everything could be read" not in text


def test_what_differs_from_an_earlier_audit_is_shown_and_long_lists_say_that_they_are_cut(
    healthy: World,
) -> None:
    before = note(healthy.but(at=NOW - timedelta(days=1)).used("rank", "l4", "gpus", flat(0)).audit())
    audit = healthy.audit()
    page = Document(text := render_page(replace(audit, change=compare(before, note(audit)))))
    assert "What differs from 2026-11-19 12:00 UTC" in text
    assert page.row("rank/l4/gpus", "peak") == ["rank/l4/gpus", "peak", "0", "4"]
    assert "Findings that are gone: 1" in text
    assert "Nothing differs." in render_page(replace(audit, change=compare(note(audit), note(audit))))
    change = compare(before, note(audit))
    many = replace(change, moves=change.moves[:1] * (MOST_MOVES + 3))
    assert "And 3 more:" in render_page(replace(audit, change=many))


def test_findings_that_say_the_same_of_many_are_counted_rather_than_shown(healthy: World) -> None:
    alike = tuple(
        Finding("use-unknown", "use", "warning", f"p{n}", f"message {n}.", (), "o", "f")
        for n in range(MOST_ALIKE + 7)
    )
    other = Finding("at-cap", "use", "warning", "q", "another", (), "o", "f")
    text = render_page(replace(healthy.audit(), findings=(*alike, other)))
    assert f"<h3>Warnings: {MOST_ALIKE + 8}</h3>" in text
    assert text.count("message ") == MOST_ALIKE
    assert "another" in text
    assert "And 7 more of <code>use-unknown</code>" in text


def test_nothing_that_a_message_brings_along_becomes_part_of_the_page(healthy: World) -> None:
    evil = '</title><script>alert(1)</script><img src=x onerror="alert(2)">`x`'
    bad = Finding("c", "use", "error", evil, evil, (), evil, evil)
    audit = replace(healthy.but(queues=Unread(evil, evil)).audit(), findings=(bad,), project=evil)
    text = render_page(audit)
    tags = [tag for tag, _ in Document(text).elements]
    assert tags.count("script") == 1
    assert "img" not in tags
    assert "<code>x</code>" in text


def test_the_security_policy_names_the_style_and_the_script_of_the_page(healthy: World) -> None:
    text = render_page(healthy.audit())
    attributes = dict(pair for pair in _metas(text))
    policy = attributes["Content-Security-Policy"]
    for tag in ("style", "script"):
        content = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert content
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


def _metas(text: str) -> list[tuple[str, str]]:
    return [
        (found["http-equiv"] or "", found["content"] or "")
        for tag, found in Document(text).elements
        if tag == "meta" and "http-equiv" in found
    ]


def test_nothing_of_the_page_comes_from_elsewhere(healthy: World) -> None:
    for tag, attributes in Document(render_page(healthy.audit())).elements:
        assert not attributes.keys() & {"src", "srcset", "style", "onclick", "action"}, tag
        assert (attributes.get("href") or "#").startswith("#")


def test_ids_are_told_apart_and_every_reference_has_one(healthy: World) -> None:
    elements = [attributes for _, attributes in Document(render_page(healthy.audit())).elements]
    ids = [found["id"] for found in elements if "id" in found]
    assert len(ids) == len(set(ids))
    named = " ".join(found.get("aria-labelledby") or "" for found in elements).split()
    links = [(found.get("href") or "#main")[1:] for found in elements]
    assert set(named) | set(links) <= set(ids)
