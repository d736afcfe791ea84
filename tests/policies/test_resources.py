"""Resources become plain data: nothing unknown raises, and secrets are never shown."""

import pytest

from policies.resources import ABSENT, UNKNOWN, from_registration, has_unknown, plain, read, stack_of

STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": {"key": "hidden"}}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("a", "b"), 1),
        (("a", "c"), ABSENT),
        (("a", "c", "d"), ABSENT),
        (("a", "none"), ABSENT),
        (("u",), UNKNOWN),
        (("u", "x", "y"), UNKNOWN),
        (("list", 0, "z"), 2),
        (("list", 1, "z"), UNKNOWN),
        (("list", 7), ABSENT),
        (("headroom/kind",), "data"),
        (("a", "b", "c"), ABSENT),
    ],
)
def test_a_path_leads_to_a_value_to_the_unknown_or_to_nothing(path, value):
    data = {
        "a": {"b": 1, "none": None},
        "u": UNKNOWN,
        "list": [{"z": 2}, UNKNOWN],
        "headroom/kind": "data",
    }
    assert read(data, *path) == value


def test_what_the_engine_sends_for_the_unknown_is_unknown_at_any_depth():
    data = plain({"spec": {"quota": [STRING, 4.0]}})
    assert data == {"spec": {"quota": [UNKNOWN, 4.0]}}
    assert has_unknown(data)
    assert not has_unknown({"spec": [1, "text"]})


def test_secrets_are_read_and_not_shown():
    resource = from_registration("dev", "kubernetes:core/v1:Secret", "s", {"data": SECRET})
    assert resource.read("data", "key") == "hidden"
    assert "hidden" not in repr(resource)


def test_the_stack_is_known_from_any_resource():
    resource = from_registration("prod", "gcp:storage/bucket:Bucket", "b", {})
    assert stack_of([resource]) == "prod"
    assert stack_of([]) == ""
