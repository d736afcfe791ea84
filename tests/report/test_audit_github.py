"""Findings as annotations: what did not answer first, each with what to do, and escaped."""

from dataclasses import replace

from headroom.audit.snapshot import Unread
from headroom.report.audit_github import render_annotations
from tests.audit.worlds import flat, make_world

WORLD = make_world()


def test_a_world_that_is_well_has_none() -> None:
    assert render_annotations(WORLD.audit()) == ""


def test_each_finding_is_an_annotation_of_its_severity_with_owner_and_remedy() -> None:
    """Q8: for somebody who looks at the run alone."""
    found = WORLD.used("rank", "l4", "gpus", flat(13)).audit()
    line = next(each for each in render_annotations(found).splitlines() if "over-cap" in each)
    assert line.startswith("::error title=test%3A over-cap::rank")
    assert " To do: " in line
    assert line.endswith("Owner: user:ada@acme.example.")
    assert len(render_annotations(found).splitlines()) == len(found.findings)


def test_what_did_not_answer_is_a_warning_of_another_kind_and_comes_first() -> None:
    unread = Unread("the API is not enabled,\nor gone", "gcloud services enable x")
    audit = replace(WORLD, snapshot=replace(WORLD.snapshot, queues=unread)).audit()
    first = render_annotations(audit).splitlines()[0]
    assert first == (
        "::warning title=test%3A the audit is not whole::queues: the API is not enabled,%0Aor gone "
        "To do: gcloud services enable x."
    )
