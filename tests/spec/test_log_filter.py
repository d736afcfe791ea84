"""Filters that parse mean what the Logging query language says; those that do not are told where."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.spec.log_filter import Call, Comparison, FilterError, Logic, Text, parse_filter

A, B, C = (Comparison(name, "=", "1") for name in "abc")


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("severity>=ERROR", Comparison("severity", ">=", "ERROR")),
        ('textPayload =~ "^a\\"b"', Comparison("textPayload", "=~", '^a"b')),
        ("labels:*", Comparison("labels", ":", "*")),
        ('labels."k8s-pod/app" = "x"', Comparison('labels."k8s-pod/app"', "=", "x")),
        ("jsonPayload.delta > -5", Comparison("jsonPayload.delta", ">", "-5")),
        ('"out of memory"', Text("out of memory")),
        ('LOG_ID("stdout")', Call("LOG_ID", ("stdout",))),
        ("sample(insertId, 0.25)", Call("sample", ("insertId", "0.25"))),
        ("NOT a=1", Logic("NOT", (A,))),
        ("-a=1", Logic("NOT", (A,))),
        ("NOT NOT a=1", A),
        ("a=1 b=1", Logic("AND", (A, B))),
        ("a=1\n-- of no use\nAND b=1 -- nor this", Logic("AND", (A, B))),
        ("a=1 AND b=1 OR c=1", Logic("AND", (A, Logic("OR", (B, C))))),
        ("a=1 OR b=1 AND c=1", Logic("AND", (Logic("OR", (A, B)), C))),
        ("(a=1 AND b=1) OR c=1", Logic("OR", (Logic("AND", (A, B)), C))),
        ('a=("x" OR "y")', Logic("OR", (Comparison("a", "=", "x"), Comparison("a", "=", "y")))),
        ('a:("x" AND NOT "y")', Logic("AND", (Comparison("a", ":", "x"), Logic("NOT", (Comparison("a", ":", "y"),))))),
    ],
)  # fmt: skip
def test_a_filter_is_read_as_google_reads_it(text: str, meaning: object) -> None:
    assert parse_filter(text) == meaning


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "at its end: a field, text or value is missing"),
        ("   -- nothing", "at its end: a field, text or value is missing"),
        ('a="x', "at character 3: this quotation mark is never closed"),
        ("a='x'", "at character 3: texts stand in double quotation marks"),
        ("(a=1", "at its end: the parenthesis at character 1 is not closed here"),
        ("a=1)", "at character 4: nothing opens this parenthesis"),
        ("a=", "at its end: a field, text or value is missing"),
        ("a==1", "at character 3: a field, text or value is expected here"),
        ("a=1 AND", "at its end: a field, text or value is missing"),
        ("OR a=1", "at character 1: a field, text or value is expected here"),
        ("a=1 or b=1", "at character 5: AND, OR and NOT are written in capitals"),
        ("a=()", "at character 4: a field, text or value is expected here"),
        ('LOG_ID("a"', "at its end: the parenthesis at character 7 is not closed here"),
        ("(" * 51 + "a" + ")" * 51, "parentheses are nested more than 50 deep"),
        ("a" * 20_001, "is 20,001 characters long, and Google takes 20,000"),
    ],
)
def test_a_filter_that_does_not_parse_is_told_where_and_why(text: str, complaint: str) -> None:
    with pytest.raises(FilterError) as refusal:
        parse_filter(text)
    assert complaint in str(refusal.value)


def test_the_longest_filter_that_google_takes_parses() -> None:
    parse_filter("a" * 20_000)
    parse_filter("(" * 50 + "a" + ")" * 50)


@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(['"', "(", ")", "AND", "a", "=", "NOT", "-", ",", " "])).map("".join)
)
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    with contextlib.suppress(FilterError):
        parse_filter(text)
