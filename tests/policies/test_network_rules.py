"""Which ranges are the internet's."""

import pytest

from policies.network_rules import is_wide


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0/0",
        "0.0.0.0/1",
        "128.0.0.0/1",
        "::/0",
        "2000::/3",
        "8.0.0.0/8",
        "10.0.0.0/7",
        "everything",
        None,
    ],
)
def test_a_range_of_the_internet_that_no_organization_has_is_wide(text: str | None) -> None:
    assert is_wide(text)


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.0/8",
        "10.52.0.0/28",
        "192.168.0.0/16",
        "203.0.113.7/32",
        "203.0.0.0/16",
        "fd00::/8",
        "2001:db8::/32",
    ],
)
def test_private_ranges_and_those_of_an_organization_are_not(text: str) -> None:
    assert not is_wide(text)
