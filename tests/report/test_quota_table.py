"""Standings in words."""

from datetime import UTC, datetime, timedelta

import pytest

from headroom.catalog.quotas import QuotaLine
from headroom.planning.grants import UNLIMITED, Grants, Standing
from headroom.planning.quota import QuotaDraw
from headroom.report.quota_table import (
    describe_standing,
    list_shortages,
    list_warnings,
    print_grants,
    render_granted,
)

NOW = datetime(2026, 11, 21, tzinfo=UTC)
LINE = QuotaLine("GPUS-PER-GPU-FAMILY-per-project-region", "us-central1", (("gpu_family", "NVIDIA_H100"),))


def standing(granted: int | None, amount: int = 1000) -> Standing:
    return Standing(QuotaDraw(LINE, "", amount), granted)


@pytest.mark.parametrize(
    ("granted", "shown", "words"),
    [
        (None, "?", "unknown"),
        (UNLIMITED, "unlimited", "enough"),
        (2500, "2,500", "enough, 1,500 left"),
        (1000, "1,000", "enough, 0 left"),
        (0, "0", "short by 1,000"),
    ],
)
def test_a_standing_is_said_in_a_few_words(granted: int | None, shown: str, words: str) -> None:
    assert render_granted(standing(granted)) == shown
    assert describe_standing(standing(granted)) == words


def test_only_what_is_short_is_listed_as_short_with_its_dimensions() -> None:
    lines = list_shortages([standing(None), standing(8), standing(UNLIMITED)])
    assert lines == [
        "GPUS-PER-GPU-FAMILY-per-project-region (gpu_family=NVIDIA_H100): 1,000 drawn, 8 granted, short by 992"
    ]


def test_no_grants_old_grants_and_unknown_quotas_are_warned_about() -> None:
    fresh, old = Grants("p", NOW, ()), Grants("p", NOW - timedelta(days=31), ())
    assert list_warnings([standing(5000)], fresh, "dev", NOW) == []
    assert "no quotas/dev.json: run headroom quota pull -s dev" in list_warnings([], None, "dev", NOW)[0]
    assert list_warnings([], old, "dev", NOW) == [
        "quotas/dev.json is 31 days old: run headroom quota pull -s dev"
    ]
    (warning,) = list_warnings([standing(None), standing(1)], fresh, "dev", NOW)
    assert "has no grant for GPUS-PER-GPU-FAMILY-per-project-region (gpu_family=NVIDIA_H100)" in warning
    assert "unknown, which is not enough" in warning


def test_grants_are_printed_plain_when_piped(capsys: pytest.CaptureFixture[str]) -> None:
    print_grants(Grants("acme-ml-dev", NOW, ()), "dev")
    assert "dev: acme-ml-dev, pulled 2026-11-21 00:00 UTC" in capsys.readouterr().out
