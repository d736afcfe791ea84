"""What an alerting section cannot ask for is refused with file and key."""

from typing import Any

import pytest

from headroom.alerts.thresholds import load_thresholds
from headroom.planning.alerting_rules import check_alerting, find_unheard
from headroom.planning.plan import plan_config
from headroom.spec.errors import StackFileError
from headroom.spec.stack_file import parse_config
from tests.conftest import MINIMAL

LIMITS = {"cpu": {"cpu": {"guarantee": 1, "cap": 2}, "memory": {"guarantee": "1Gi", "cap": "2Gi"}}}
MAIL = {"kind": "email", "address": "ml@acme.dev"}
RISK = "group:risk@acme.dev"


def config(alerting: dict[str, Any]) -> dict[str, Any]:
    pipeline = {"kind": "data", "model": "m", "owner": RISK, "limits": LIMITS}
    return MINIMAL | {
        "headroom:pipelines": {"risk-data": pipeline},
        "headroom:alerting": {"channels": {"mail": MAIL}} | alerting,
    }


def mute(**values: Any) -> dict[str, Any]:
    return {"mutes": {"m": {"start": "2026-12-01T22:00:00Z", "end": "2026-12-02T04:00:00Z"} | values}}


@pytest.mark.parametrize(
    ("alerting", "message"),
    [
        ({"routes": {"page": ["mail", "mial"]}}, "headroom:alerting.routes.page[1]: is no channel of this stack; did you mean mail?"),
        ({"routes": {"security": ["x"]}}, "headroom:alerting.routes.security[0]: is no channel of this stack; choose one of mail"),
        ({"owners": {RISK: {"ticket": ["x"]}}}, f"headroom:alerting.owners.{RISK}.ticket[0]: is no channel of this stack"),
        ({"owners": {RISK: {}}}, f"headroom:alerting.owners.{RISK}: names no channel; give page or ticket some"),
        ({"owners": {"group:risks@acme.dev": {"page": ["mail"]}}}, f"headroom:alerting.owners.group:risks@acme.dev: owns no pipeline of this stack; did you mean {RISK}?"),
        ({"thresholds": {"HeadroomUsedUp": 1.01}}, "headroom:alerting.thresholds.HeadroomUsedUp: is 1.01; share of the headroom that experiments hold: 0.5 to 1, and 0.9 by default"),
        ({"thresholds": {"HeadroomUsed": 0.9}}, "headroom:alerting.thresholds.HeadroomUsed: is no alert; did you mean HeadroomUsedUp?"),
        ({"thresholds": {"ServingOutage": 1}}, "headroom:alerting.thresholds.ServingOutage: takes its bound from metrics that pipelines export; here can be moved CanarySlow,"),
        (mute(alerts=["ServingOutge"]), "headroom:alerting.mutes.m.alerts[0]: is no alert; did you mean ServingOutage?"),
        (mute(alerts=["Zzz"]), "headroom:alerting.mutes.m.alerts[0]: is no alert; `headroom alerts list` names them"),
        (mute(alerts=["RollbackJobSilent"]), "headroom:alerting.mutes.m.alerts[0]: is no alert of this stack, which has no headroom:operations.rollbacks; remove it"),
        (mute(alerts=["CloudQuotaExceeded"], pipelines=["risk-data"]), "headroom:alerting.mutes.m.alerts[0]: is no alert on pipelines; mute it without pipelines"),
        (mute(pipelines=["risk"]), "headroom:alerting.mutes.m.pipelines[0]: is no pipeline of this stack; did you mean risk-data?"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_file_and_key(alerting: dict[str, Any], message: str) -> None:
    with pytest.raises(StackFileError) as refused:
        plan_config(config(alerting), "test", "Pulumi.test.yaml")
    assert f"Pulumi.test.yaml: {message}" in str(refused.value)


@pytest.mark.parametrize("name", load_thresholds())
def test_a_threshold_is_taken_up_to_its_bounds(name: str) -> None:
    threshold = load_thresholds()[name]
    for value, is_taken in (
        (threshold.least, True),
        (threshold.most, True),
        (threshold.least - 0.01, False),
        (threshold.most + 0.01, False),
    ):
        platform = parse_config(config({"thresholds": {name: value}}), "f")
        assert (check_alerting(platform) == []) == is_taken, value


def test_security_events_can_be_muted_by_name() -> None:
    assert check_alerting(parse_config(config(mute(alerts=["QuotaChanged", "ServingOutage"])), "f")) == []


def test_what_nobody_would_be_told_of_is_pointed_out_and_not_refused() -> None:
    plan = plan_config(config({}), "test", "f")
    assert {(note.path, note.message) for note in plan.notes} == {
        ("headroom:alerting.routes.page", "names no channel: nobody is told of what cannot wait"),
        ("headroom:alerting.routes.ticket", "names no channel: nobody is told of what can wait"),
        ("headroom:alerting.channels.mail", "is told of nothing; name it in routes or owners"),
    }


def test_nothing_is_pointed_out_where_somebody_is_told_of_everything() -> None:
    routes = {"routes": {"page": ["mail"], "ticket": ["mail"]}}
    assert find_unheard(parse_config(config(routes), "f").alerting) == []
