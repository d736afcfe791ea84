"""Simulated rollouts as tables: one row for each, what there was none of is empty."""

from headroom.delivery.simulation import Outcome
from headroom.report.simulation_table import render_outcomes

STOPPED = Outcome(
    pipeline="feed-serving",
    preset="fast",
    fault="errors",
    end="rolled back",
    phase="canary-10",
    reason="CanaryErrors",
    seconds=360,
    requests=43_200.0,
    share=0.1,
    day_share=0.000417,
)
REFUSED = Outcome("feed-serving", "fast", None, "refused", "", "freeze fair", 0, 0.0, 0.0, 0.0)


def test_rows_of_markdown_are_of_the_same_columns() -> None:
    heading, rule, stopped, refused = render_outcomes([STOPPED, REFUSED]).splitlines()
    assert stopped == (
        "| fast | errors | rolled back | canary-10 | CanaryErrors | 6m | 43,200 | 10.0% | 0.042% |"
    )
    assert refused == "| fast | none | refused |  | freeze fair |  |  |  |  |"
    assert len({row.count("|") for row in (heading, rule, stopped, refused)}) == 1
