"""An empty route is one finding, a policy of its own that tells nobody another."""

from policies.alert_rules import ALERT_POLICY
from tests.policies.scenes import Scene, open_scene

RULE = "alerts-reach-somebody"


def silence(scene: Scene, urgency: str, *, logs: bool = True) -> list[str]:
    """Take the channels from all policies of an urgency, and return their names."""
    silenced = []
    for each in scene.registrations:
        inputs = each["inputs"]
        if each["type"] != ALERT_POLICY or inputs["userLabels"]["notify"] != urgency:
            continue
        if logs or not any("conditionMatchedLog" in condition for condition in inputs["conditions"]):
            inputs["notificationChannels"] = []
            silenced.append(each["name"])
    return silenced


def test_an_empty_route_is_told_once_with_its_key() -> None:
    scene = open_scene("dev")
    silenced = silence(scene, "ticket")
    assert len(silenced) > 10
    assert scene.found(RULE) == [
        f"headroom:alerting.routes.ticket: {len(silenced)} alerts follow it and tell nobody; name a channel there"
    ]


def test_a_route_of_security_beside_an_empty_one_does_not_hide_it() -> None:
    scene = open_scene("dev")
    silenced = silence(scene, "page", logs=False)
    (found,) = scene.found(RULE)
    assert f"routes.page: {len(silenced)} alerts" in found


def test_where_one_of_a_route_tells_somebody_each_that_does_not_is_told() -> None:
    scene = open_scene("dev")
    *silenced, first = silence(scene, "page", logs=False)
    channels = open_scene("dev").value(first, "notificationChannels")
    scene.put(first, "notificationChannels", to=channels)
    assert len(scene.found(RULE)) == len(silenced)
