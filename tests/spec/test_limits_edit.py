"""Q4: limits are put into a stack file that stays as it was otherwise."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from headroom.spec.errors import StackFileError
from headroom.spec.limits_edit import put_limits
from headroom.spec.yaml_reader import read_yaml

TEXT = """\
# A comment at the top.
config:
  gcp:project: acme-ml-dev   # aligned

  headroom:pipelines:
    # About a.
    a:
      kind: serving
      limits: {l4: {gpus: {guarantee: 2,   cap: 4}}}  # after the limits
    b:
      kind: data
      limits:
        cpu:
          cpu: {guarantee: 16, cap: 48} # cores
          memory: {guarantee: 64Gi, cap: "192Gi"}

    # About c.
    c:
      kind: serving
      demand: {pool: l4, qps: 60} # no limits yet

    d: {kind: serving, demand: {pool: l4, qps: 60}}
"""


def changed_lines(text: str, changes: dict[str, Any]) -> dict[str, str]:
    before, after = text.splitlines(), put_limits(text, changes, "f").splitlines()
    if len(before) == len(after):
        return {old: new for old, new in zip(before, after, strict=True) if old != new}
    (added,) = [line for line in after if line not in before]
    return {"": added}


def test_numbers_are_replaced_where_they_stand() -> None:
    assert changed_lines(TEXT, {"a": {"l4": {"gpus": ("3", "12")}}}) == {
        "      limits: {l4: {gpus: {guarantee: 2,   cap: 4}}}  # after the limits": (
            "      limits: {l4: {gpus: {guarantee: 3,   cap: 12}}}  # after the limits"
        )
    }


def test_quoted_values_are_replaced_whole() -> None:
    changes = {"b": {"cpu": {"memory": ("64Gi", "1Ti"), "cpu": ("16", "0.5")}}}
    assert list(changed_lines(TEXT, changes).values()) == [
        "          cpu: {guarantee: 16, cap: 0.5} # cores",
        "          memory: {guarantee: 64Gi, cap: 1Ti}",
    ]


def test_limits_that_are_not_there_get_a_line_of_their_own_or_a_place_in_the_braces() -> None:
    limits = {"l4": {"gpus": ("2", "3")}}
    assert changed_lines(TEXT, {"c": limits}) == {"": "      limits: {l4: {gpus: {guarantee: 2, cap: 3}}}"}
    assert changed_lines(TEXT, {"d": limits}) == {
        "    d: {kind: serving, demand: {pool: l4, qps: 60}}": (
            "    d: {kind: serving, demand: {pool: l4, qps: 60}, limits: {l4: {gpus: {guarantee: 2, cap: 3}}}}"
        )
    }


def test_a_pool_and_a_resource_are_added_in_the_style_around_them() -> None:
    text = put_limits(TEXT, {"a": {"l4": {"cpu": ("1", "2")}}, "b": {"v5e": {"chips": ("4", "8")}}}, "f")
    assert "{guarantee: 2,   cap: 4}, cpu: {guarantee: 1, cap: 2}}}  # after" in text
    assert 'cap: "192Gi"}\n        v5e: {chips: {guarantee: 4, cap: 8}}\n\n    # About c.' in text


@pytest.mark.parametrize("empty", ["{}", "{l4: {}}"])
def test_empty_braces_are_filled(empty: str) -> None:
    text = TEXT.replace("demand: {pool: l4, qps: 60} # no", f"limits: {empty} # no")
    new = {"gpus": ("2", "3"), "cpu": ("1", "2")}
    filled = "limits: {l4: {gpus: {guarantee: 2, cap: 3}, cpu: {guarantee: 1, cap: 2}}} # no"
    assert put_limits(text, {"c": {"l4": new}}, "f") == text.replace(f"limits: {empty} # no", filled)


def test_a_file_without_a_last_line_end_gets_none() -> None:
    text = TEXT.rstrip()
    assert not put_limits(text, {"c": {"l4": {"gpus": ("1", "2")}}}, "f").endswith("\n")


def test_windows_line_ends_stay() -> None:
    text = put_limits(TEXT.replace("\n", "\r\n"), {"a": {"l4": {"gpus": ("3", "12")}}}, "f")
    assert text.count("\r\n") == text.count("\n") == TEXT.count("\n")


def test_nothing_to_change_changes_nothing() -> None:
    assert put_limits(TEXT, {}, "f") == TEXT
    assert put_limits(TEXT, {"a": {"l4": {"gpus": ("2", "4")}}}, "f") == TEXT


def test_keys_without_the_namespace_are_found() -> None:
    text = TEXT.replace("headroom:pipelines", "pipelines")
    assert "cap: 12" in put_limits(text, {"a": {"l4": {"gpus": ("3", "12")}}}, "f")


def test_what_the_project_file_says_is_not_changed_here() -> None:
    with pytest.raises(StackFileError, match=r"headroom:pipelines\.z: does not stand in this file"):
        put_limits(TEXT, {"z": {"l4": {"gpus": ("3", "12")}}}, "f")
    with pytest.raises(StackFileError, match="headroom:pipelines: does not stand in this file"):
        put_limits("config: {gcp:project: p}", {"a": {"l4": {"gpus": ("3", "12")}}}, "f")


def test_an_anchor_that_others_use_is_left_alone() -> None:
    text = TEXT.replace("limits: {l4:", "limits: &shared {l4:").replace(
        "demand: {pool: l4, qps: 60} # no limits yet", "limits: *shared"
    )
    with pytest.raises(StackFileError, match="the limits of a cannot be changed in place"):
        put_limits(text, {"a": {"l4": {"gpus": ("3", "12")}}}, "f")


AMOUNTS = st.integers(0, 999).map(str)
LIMITS = st.dictionaries(
    st.sampled_from(["l4", "cpu", "v5e"]),
    st.dictionaries(st.sampled_from(["cpu", "gpus", "memory"]), st.tuples(AMOUNTS, AMOUNTS), min_size=1),
    min_size=1,
)


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from("abcd"), LIMITS), st.sampled_from([True, False, None]))
def test_whatever_the_style_just_the_limits_change(changes: dict[str, Any], style: bool | None) -> None:
    """Q4."""
    text = TEXT if style is None else yaml.safe_dump(read_yaml(TEXT.encode()), default_flow_style=style)
    after = put_limits(text, changes, "f")
    expected = read_yaml(text.encode())
    for name, pools in changes.items():
        held = expected["config"]["headroom:pipelines"][name].setdefault("limits", {})
        for pool, resources in pools.items():
            for resource, (guarantee, cap) in resources.items():
                values = {"guarantee": int(guarantee), "cap": int(cap)}
                held.setdefault(pool, {})[resource] = values
    assert read_yaml(after.encode()) == expected
    assert [line for line in after.splitlines() if line.lstrip().startswith("#")] == [
        line for line in text.splitlines() if line.lstrip().startswith("#")
    ]
