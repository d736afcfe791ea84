"""Settings that are wrong are refused with file, key, cause and remedy; none of them lets a change pass."""

import json
from datetime import date
from pathlib import Path

import pytest

from headroom.spec.errors import StackFileError
from policies.registry import RULES
from policies.settings import SETTINGS_FILE, Settings, load_settings, parse_settings, settings_schema
from tests.policies.scenes import open_scene

TODAY = date(2026, 11, 21)
EXEMPTION = """
exemptions:
  - rule: {rule}
    resource: "{resource}"
    owner: "{owner}"
    reason: the feed model moves to v6e in March
    expires: {expires}
"""


def parse(text: str) -> Settings:
    return parse_settings(text.encode(), RULES, TODAY)


def exempt(
    rule="promises-are-kept",
    resource="dev-queue-feed-*",
    owner="group:feed-ml@acme.example",
    expires="2026-11-21",
) -> str:
    return EXEMPTION.format(rule=rule, resource=resource, owner=owner, expires=expires)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("exemptions: [", "policies/settings.yaml: is not valid YAML"),
        ("- a", "must be a mapping"),
        ("headrom: {share: 0.1}", "headrom: is no key of this section; did you mean headroom?"),
        ("headroom: {share: 2}", "headroom.share: must be at most 0.9"),
        (
            exempt(rule="promise-are-kept"),
            "exemptions[0].rule: names no rule; did you mean promises-are-kept?",
        ),
        (exempt(owner=""), "exemptions[0].owner: must look like group:ads-ml@acme.example"),
        (
            exempt(expires="2026-11-20"),
            "exemptions[0].expires: was 2026-11-20, so the exemption from promises-are",
        ),
        (exempt(expires="soon"), "exemptions[0].expires: must be a day such as 2026-06-30"),
        (
            exempt().replace("reason: the feed model moves to v6e in March", ""),
            "exemptions[0].reason: is required",
        ),
        (
            'may_override: ["group:platform@acme.example"]' + exempt(),
            "exemptions[0].owner: may not override; may_override says who may",
        ),
        (
            "levels: {headroom-keept: mandatory}",
            "levels.headroom-keept: names no rule; did you mean headroom-kept?",
        ),
        ("levels: {headroom-kept: mandatory}", "levels.headroom-kept: is mandatory anyway; remove it"),
        ("levels: {headroom-kept: advisory}", "levels.headroom-kept"),
        (
            "levels: {headroom-kept: {level: disabled, reason: because it is in the way}}",
            "levels.headroom-kept.owner: is required",
        ),
    ],
)
def test_settings_that_are_wrong_are_refused(text: str, message: str) -> None:
    with pytest.raises(StackFileError) as refused:
        parse(text)
    assert message in str(refused.value)
    assert str(refused.value).startswith("policies/settings.yaml: ")


def test_settings_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StackFileError, match="an empty file means the defaults"):
        load_settings(tmp_path / "policies" / "settings.yaml", RULES, TODAY)


def test_an_empty_file_means_the_defaults() -> None:
    assert parse("") == Settings()


def test_an_exemption_holds_to_its_last_day_and_for_its_resource_alone() -> None:
    scene = open_scene("dev")
    for name in ("dev-queue-feed-data", "dev-queue-shelf-data"):
        scene.set_quota(name, "cpu", "cpu", "nominalQuota", "8")
    assert len(scene.found("promises-are-kept")) == 2
    scene.settings = parse(exempt())
    refusing = [each for each in scene.verdicts() if each.refuses and each.rule.name == "promises-are-kept"]
    assert [verdict.finding.resource for verdict in refusing] == ["dev-queue-shelf-data"]
    (exempted,) = [str(verdict) for verdict in scene.verdicts() if verdict.exemption]
    assert exempted.endswith(
        "(exempted by group:feed-ml@acme.example until 2026-11-21: the feed model moves to v6e in March)"
    )


def test_a_rule_is_lowered_by_an_owner_and_raised_by_anybody() -> None:
    scene = open_scene("dev")
    scene.set_quota("dev-queue-feed-data", "cpu", "cpu", "nominalQuota", "8")
    lowered = (
        "levels: {{promises-are-kept: {{level: {}, owner: 'user:a@b.co', reason: for the demonstration}}}}"
    )
    scene.settings = parse(lowered.format("advisory"))
    assert "promises-are-kept" not in scene.broken()
    assert len(scene.found("promises-are-kept")) == 1
    scene.settings = parse(lowered.format("disabled"))
    assert scene.found("promises-are-kept") == []
    assert parse("levels: {serving-not-above-training: mandatory}").levels


def test_the_settings_of_the_project_are_sound_and_their_schema_is_current(root: Path) -> None:
    settings = load_settings(root / SETTINGS_FILE, RULES, TODAY)
    assert settings == Settings()
    committed = json.loads((root / "policies" / "settings.schema.json").read_text())
    assert committed == settings_schema(), "run `make schema`"


def test_the_names_of_rules_are_distinct() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
