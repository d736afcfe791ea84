"""Values survive the way to the engine and back."""

from hypothesis import given
from hypothesis import strategies as st

from sandbox.provider.wire import UNKNOWN, Secret, cover, decode, encode, is_known, reveal

_plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.just(UNKNOWN),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)
_values = _plain | _plain.map(Secret)


@given(st.dictionaries(st.text(max_size=8), _values, max_size=5))
def test_decode_gives_back_what_was_encoded(values: dict) -> None:
    assert decode(encode(values)) == values


def test_whole_numbers_come_back_as_ints() -> None:
    value = decode(encode({"count": 3, "share": 0.5}))

    assert (value["count"], value["share"]) == (3, 0.5)
    assert isinstance(value["count"], int)


def test_every_unknown_sentinel_of_the_engine_is_unknown() -> None:
    sentinels = ["1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", "dd056dcd-154b-4c76-9bd3-c8f88648b5ff"]

    assert decode(encode({"a": sentinels})) == {"a": [UNKNOWN, UNKNOWN]}


def test_an_unknown_deep_inside_makes_a_value_unknown() -> None:
    assert not is_known({"a": [{"b": Secret(UNKNOWN)}]})
    assert is_known({"a": [{"b": Secret(1)}]})


def test_reveal_takes_secret_marks_off_at_any_depth() -> None:
    assert reveal({"a": Secret({"b": [Secret("x")]})}) == {"a": {"b": ["x"]}}


def test_cover_puts_secret_marks_where_the_inputs_had_them() -> None:
    covered = cover({"a": "x", "b": {"c": 1}, "d": [1, 2]}, {"a": Secret("x"), "b": {"c": Secret(1)}})

    assert covered == {"a": Secret("x"), "b": {"c": Secret(1)}, "d": [1, 2]}
