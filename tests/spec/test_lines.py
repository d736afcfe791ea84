"""The line of a key, so that a finding is shown where the change can be made."""

from pathlib import Path

import pytest

from headroom.spec.errors import Problem
from headroom.spec.lines import find_lines, locate, point_to

TEXT = """\
# a comment
config:
  gcp:project: acme
  pools:
    cpu: {machine: n2, nodes: {max: 4}}
    l4:
      zones: [a,
              b]
  headroom:pipelines:
    feed: &feed
      limits: {cpu: 1}
    copy: *feed
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("gcp:project", 3),
        ("headroom:pools", 4),
        ("headroom:pools.cpu.nodes.max", 5),
        ("headroom:pools.l4.zones[1]", 8),
        ("headroom:pools.l4.zones[7].deeper", 7),
        ("headroom:pools.l4.nodes.max", 6),
        ("headroom:pipelines.feed.limits.cpu", 11),
        ("headroom:pipelines.copy", 12),
        ("headroom:pipelines.copy.limits.cpu", 12),
        ("headroom:pipelines.gone.limits", 9),
        ("headroom:cluster", None),
        ("", None),
    ],
)
def test_a_key_is_found_or_else_the_nearest_above_it(key: str, line: int | None) -> None:
    assert locate(find_lines(TEXT), key) == line


@pytest.mark.parametrize("text", ["", "config: [", "- a", "config: &a {b: *a}", "\x00", "config: 3"])
def test_what_is_no_stack_file_has_no_lines_or_few(text: str) -> None:
    assert len(find_lines(text)) <= 1


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_every_pipeline_of_the_stacks_is_found_where_it_stands(root: Path, stack: str) -> None:
    text = (root / f"Pulumi.{stack}.yaml").read_text()
    rows = text.splitlines()
    lines = find_lines(text)
    names = [key for key in lines if key.startswith("headroom:pipelines.") and key.count(".") == 1]
    assert len(names) == 16
    for key in names:
        assert rows[lines[key] - 1].strip().startswith(key.rpartition(".")[2] + ":")


def test_aliases_of_aliases_are_not_written_out() -> None:
    rows = ["config:", "  k0: &k0 [1]"]
    rows += [f"  k{n}: &k{n} [{', '.join([f'*k{n - 1}'] * 9)}]" for n in range(1, 40)]
    assert len(find_lines("\n".join(rows))) < 1_000


def test_a_problem_is_said_as_editors_follow_it_and_where_no_line_is_known_without() -> None:
    lines = find_lines(TEXT)
    problem = Problem("headroom:pools.l4.nodes.max", "is required")
    assert point_to(problem, "f.yaml", lines) == f"f.yaml:6: {problem}"
    assert point_to(Problem("", "cannot be read"), "f.yaml", lines) == "f.yaml: cannot be read"
