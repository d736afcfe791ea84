"""The plan as people see it, on terminals narrow and wide."""

import re
from pathlib import Path

import pytest

from headroom.live.grants_file import grants_path, load_grants
from headroom.planning.grants import Grants, compare
from headroom.planning.pipelines import format_amount
from headroom.planning.plan import Plan, plan_config
from headroom.report.plan_table import print_plan
from headroom.report.quota_table import describe_standing, print_grants, render_granted
from headroom.spec.stack_file import load_config

Capture = pytest.CaptureFixture[str]


@pytest.fixture(params=["dev", "prod"])
def planned(request: pytest.FixtureRequest, root: Path) -> tuple[Plan, Grants]:
    path = root / f"Pulumi.{request.param}.yaml"
    plan = plan_config(load_config(path), request.param, path.name)
    grants = load_grants(grants_path(root, request.param), plan.project)
    assert grants is not None
    return plan, grants


def on_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": str(width)}.items():
        monkeypatch.setenv(name, value)


def lines_of(capsys: Capture) -> list[str]:
    return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()


def require_line(lines: list[str], *words: str) -> None:
    pattern = r"(^|\s)" + r"\s+(.*\s)?".join(map(re.escape, words)) + r"(\s|$)"
    assert any(re.search(pattern, line) for line in lines), (words, lines)


def require_plan(lines: list[str], plan: Plan, grants: Grants) -> None:
    """Every name, and every figure in a line, whole."""
    for pool in plan.all_pools:
        require_line(lines, pool.name, pool.machine.name, f"{pool.min_nodes}-{pool.max_nodes}")
    for standing in compare(plan.quota, grants):
        require_line(lines, standing.draw.quota.quota_id)
        figures = (f"{standing.draw.amount:,}", render_granted(standing), describe_standing(standing))
        require_line(lines, *figures)
    for pipeline in plan.pipelines:
        require_line(lines, pipeline.name)
        for limit in pipeline.limits:
            amounts = [format_amount(limit.resource, amount) for amount in (limit.guarantee, limit.cap)]
            require_line(lines, limit.pool, limit.resource, *([] if limit.derived else amounts))


@pytest.mark.parametrize("width", [80, 120, 200])
def test_a_terminal_of_eighty_columns_or_more_shows_names_and_figures_whole(
    planned: tuple[Plan, Grants], width: int, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    on_terminal(monkeypatch, width)
    print_plan(*planned)
    require_plan(lines := lines_of(capsys), *planned)
    assert "…" not in "".join(lines)


@pytest.mark.parametrize("width", [80, 120, 200])
def test_rows_fit_the_terminal_and_lose_nothing(
    planned: tuple[Plan, Grants], width: int, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    print_plan(*planned)
    piped = set(" ".join(lines_of(capsys)).replace(",", " ").replace(";", " ").split())
    on_terminal(monkeypatch, width)
    print_plan(*planned)
    lines = lines_of(capsys)
    assert [line for line in lines if len(line) > width and not line.startswith("Pipelines:")] == []
    shown = " ".join(lines).replace(",", " ").replace(";", " ").split()
    headings_of_empty_columns = {"dimensions"}
    words = {word for word in piped if not word.startswith("─")}
    assert words - headings_of_empty_columns <= set(shown)


def test_piped_every_row_is_one_line(planned: tuple[Plan, Grants], capsys: Capture) -> None:
    print_plan(*planned)
    lines = lines_of(capsys)
    require_plan(lines, *planned)
    plan = planned[0]
    for pipeline in plan.pipelines:
        require_line(lines, pipeline.name, pipeline.kind, pipeline.model, pipeline.owner)
    assert not any(line.startswith("    zones ") for line in lines)


def test_granted_quotas_are_whole_on_a_narrow_terminal(
    planned: tuple[Plan, Grants], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    on_terminal(monkeypatch, 50)
    print_grants(planned[1], "dev")
    lines = lines_of(capsys)
    for grant in planned[1].grants:
        require_line(lines, grant.quota_id)
        assert all(any(value in line for line in lines) for _, value in grant.dimensions)
