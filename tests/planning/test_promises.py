"""The record of what was promised: the same text for the same promises, and refused when it is wrong."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.planning.plan import Plan
from headroom.planning.promises import Promise, find_cuts, list_promises, parse_promises, render_promises
from headroom.spec.errors import StackFileError

ROW = '{{"queue": "a", "flavor": "cpu", "resource": "cpu", "amount": "{}"}}'
NAMES = st.text("abc-", min_size=1, max_size=5)
AMOUNTS = st.builds("{}{}".format, st.integers(0, 10**9), st.sampled_from(["", "m", "Gi", "Mi"]))


def test_queues_promise_the_headroom_and_the_guarantees(
    config: dict[str, Any], plan_whole: Callable[[], Plan]
) -> None:
    """Q5."""
    limits = {"cpu": {"cpu": {"guarantee": 8, "cap": 16}, "memory": {"guarantee": 0, "cap": "8Gi"}}}
    config["headroom:pipelines"] = {
        "d": {"kind": "data", "model": "m", "owner": "user:a@b.co", "limits": limits}
    }
    promises = list_promises(plan_whole().tenancy.queues)
    assert promises == (
        Promise("d", "cpu", "cpu", "8"),
        Promise("experiments", "cpu", "cpu", "13"),
        Promise("experiments", "cpu", "memory", "45Gi"),
    )


def test_a_cut_is_by_amount_whatever_the_unit_and_what_goes_is_cut_to_nothing() -> None:
    """Q5."""
    before = [
        Promise("a", "cpu", "cpu", "1"),
        Promise("a", "cpu", "memory", "1Gi"),
        Promise("b", "cpu", "cpu", "2"),
    ]
    after = [Promise("a", "cpu", "cpu", "1000m"), Promise("a", "cpu", "memory", "1023Mi")]
    assert find_cuts(before, after) == ((before[1], "1023Mi"), (before[2], "0"))
    assert find_cuts(after, before) == ()


@given(
    st.lists(
        st.builds(Promise, NAMES, NAMES, NAMES, AMOUNTS),
        unique_by=lambda each: (each.queue, each.flavor, each.resource),
    )
)
def test_what_is_written_is_read(promises: list[Promise]) -> None:
    text = render_promises(promises)
    assert parse_promises(text.encode(), "f") == tuple(sorted(promises))
    assert render_promises(reversed(promises)) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "f: is not valid JSON; `headroom quota accept` writes the file anew"),
        ("[]", "must be a mapping"),
        ("{}", "f: promises: is required"),
        (f'{{"promises": [{ROW.format("lots")}]}}', "f: promises[0].amount: must look like 16 or 64Gi"),
        (f'{{"promises": [{ROW.format(8)}, {ROW.format(9)}]}}', "stands there twice: a, cpu, cpu"),
        ('{"promises": [], "more": 1}', "more: is no key"),
    ],
)
def test_a_record_that_is_wrong_is_refused(text: str, message: str) -> None:
    with pytest.raises(StackFileError) as refused:
        parse_promises(text.encode(), "f")
    assert message in str(refused.value)
