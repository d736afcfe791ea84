"""Presets of deliveries, as data."""

from headroom.catalog.rollouts import load_presets


def test_every_preset_that_a_stack_file_may_name_is_there() -> None:
    from typing import get_args

    from headroom.spec.delivery import Preset

    assert set(load_presets()) == set(get_args(Preset))


def test_phases_of_a_preset_rise_and_its_last_does_not_hold() -> None:
    """D2, D8."""
    for preset in load_presets().values():
        shares = [phase.percent for phase in preset.phases]
        assert shares == sorted(set(shares))
        assert preset.purpose
        assert not preset.phases[-1].hold
        assert all(phase.minutes > 0 for phase in preset.phases)


def test_the_more_cautious_a_preset_the_longer_it_watches_and_the_more_often_it_asks() -> None:
    """D2."""
    presets = [load_presets()[name] for name in ("fast", "standard", "cautious")]
    watched = [sum(phase.minutes for phase in preset.phases) for preset in presets]
    asked = [sum(phase.hold for phase in preset.phases) for preset in presets]
    assert watched == sorted(watched)
    assert asked == sorted(set(asked))
