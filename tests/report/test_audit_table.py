"""An audit as tables: findings first, each with its owner and what to do; unknown is shown as unknown."""

from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from rich.console import Console

from headroom.audit.history import compare, note
from headroom.audit.report import Audit
from headroom.audit.snapshot import Unread
from headroom.report.audit_table import print_audit, summarize
from tests.audit.worlds import NOW, World, flat, make_world


@pytest.fixture(scope="module")
def healthy() -> World:
    return make_world()


def text_of(audit: Audit) -> str:
    out = StringIO()
    print_audit(audit, Console(file=out, width=300, highlight=False))
    return out.getvalue()


def test_a_healthy_world_says_that_nothing_was_found(healthy: World) -> None:
    text = text_of(healthy.audit())
    assert "nothing found" in text
    assert text.endswith("0 errors, 0 warnings, 0 for information\n")


def test_findings_come_first_with_owner_and_remedy(healthy: World) -> None:
    text = text_of(healthy.used("rank", "l4", "gpus", flat(13)).audit())
    assert text.index("error rank on l4: holds 13 gpus") < text.index("Cloud quotas")
    assert "owner: user:ada@acme.example; to do: " in text
    assert "1 error, 0 warnings" in text


def test_who_holds_what_is_shown_for_quotas_and_pools(healthy: World) -> None:
    lines = text_of(healthy.audit()).splitlines()
    quota = next(line for line in lines if line.startswith("NVIDIA-L4-GPUS"))
    assert quota.split()[1:7] == ["us-central1", "20", "20", "16", "10", "10"]
    assert "rank 4" in quota
    rank = next(line for line in lines if line.split()[:1] == ["rank"])
    assert rank.split() == ["rank", "user:ada@acme.example", "8", "12", "4", "4", "0"]


def test_unknown_is_a_question_mark_and_the_source_says_why(healthy: World) -> None:
    text = text_of(
        healthy.but(queues=Unread("no way there", "kubectl get nodes"), queue_use=Unread("down")).audit()
    )
    rank = next(line for line in text.splitlines() if line.split()[:1] == ["rank"])
    assert rank.split()[-3:] == ["?", "?", "?"]
    assert "no way there; kubectl get nodes" in text
    assert "2 sources did not answer" in text


def test_what_differs_is_listed_and_long_lists_are_cut(healthy: World) -> None:
    before = note(healthy.but(at=NOW - timedelta(days=1)).used("rank", "l4", "gpus", flat(0)).audit())
    audit = healthy.audit()
    text = text_of(replace(audit, change=compare(before, note(audit))))
    assert "gone: guarantee-idle rank/l4/gpus" in text
    assert "rank/l4/gpus: peak 0 -> 4" in text
    empty = replace(before, figures={})
    text = text_of(replace(audit, change=compare(empty, note(audit))))
    assert "figures more (--json has them)" in text
    assert "nothing differs" in text_of(replace(audit, change=compare(note(audit), note(audit))))


def test_markup_in_names_does_no_harm(healthy: World) -> None:
    audit = healthy.but(queues=Unread("[red]no[/red] [bold")).audit()
    assert "[red]no[/red] [bold" in text_of(audit)


def test_a_summary_counts(healthy: World) -> None:
    world = healthy.used("rank", "l4", "gpus", flat(0)).used("experiments", "l4", "gpus", flat(0))
    assert summarize(world.audit()) == "0 errors, 0 warnings, 2 for information"
