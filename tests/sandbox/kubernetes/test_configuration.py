"""The provider's configuration, and which change of it replaces everything."""

import pytest

from sandbox.kubernetes.configuration import check_configuration, diff_configuration, read_settings
from sandbox.provider.wire import UNKNOWN, Secret
from tests.sandbox.kubernetes.conftest import kubeconfig

HERE, THERE = kubeconfig("https://here"), kubeconfig("https://there")


def test_what_the_sdk_sends_is_accepted():
    sent = {"kubeconfig": Secret(HERE), "clusterIdentifier": "dev", "enableServerSideApply": "true"}
    settings = '{"suppressBetaWarning":true}'
    assert list(check_configuration({**sent, "helmReleaseSettings": settings, "version": "4.34.2"})) == []


@pytest.mark.parametrize(
    ("values", "cause"),
    [
        ({"clusterIdentifer": "dev"}, "did you mean 'clusterIdentifier'"),
        ({"renderYamlToDirectory": "out"}, "renders no YAML"),
        ({"enableServerSideApply": "false"}, "on the server's side only"),
    ],
)
def test_what_cannot_be_is_refused(values, cause):
    (problem,) = check_configuration(values)
    assert cause in problem.reason
    assert problem.path in values


def test_texts_are_read_as_what_they_say():
    settings = read_settings(
        {"deleteUnreachable": "true", "enableSecretMutable": True, "kubeconfig": Secret("x")}, {}
    )
    assert (settings.delete_unreachable, settings.mutability.secrets, settings.kubeconfig) == (
        True,
        True,
        "x",
    )
    assert not settings.mutability.config_maps


def test_the_environment_says_what_to_do_with_a_lost_cluster_where_the_program_does_not():
    environment = {"PULUMI_K8S_DELETE_UNREACHABLE": "true", "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE": "true"}
    settings = read_settings({"skipUpdateUnreachable": "false"}, environment)
    assert (settings.delete_unreachable, settings.skip_unreachable) == (True, False)


@pytest.mark.parametrize(
    ("values", "variable", "forgets"),
    [({}, "true", True), ({}, "false", False), ({"deleteUnreachable": "false"}, "true", False)],
)
def test_the_environment_says_whether_to_forget_where_the_configuration_does_not(values, variable, forgets):
    assert read_settings(values, {"PULUMI_K8S_DELETE_UNREACHABLE": variable}).delete_unreachable == forgets


@pytest.mark.parametrize(
    ("olds", "news", "changed", "replaces"),
    [
        ({"kubeconfig": HERE}, {"kubeconfig": HERE}, (), ()),
        ({"kubeconfig": HERE}, {"kubeconfig": THERE}, ("kubeconfig",), ("kubeconfig",)),
        ({"kubeconfig": HERE}, {"kubeconfig": kubeconfig("https://here", token="x")}, ("kubeconfig",), ()),
        ({"kubeconfig": HERE}, {"kubeconfig": UNKNOWN}, ("kubeconfig",), ("kubeconfig",)),
        ({"kubeconfig": HERE}, {"kubeconfig": HERE, "namespace": "x"}, ("namespace",), ()),
        (
            {"kubeconfig": HERE, "clusterIdentifier": "a"},
            {"kubeconfig": THERE, "clusterIdentifier": "a"},
            ("kubeconfig",),
            (),
        ),
        (
            {"kubeconfig": HERE, "clusterIdentifier": "a"},
            {"kubeconfig": UNKNOWN, "clusterIdentifier": "a"},
            ("kubeconfig",),
            (),
        ),
        (
            {"kubeconfig": HERE, "clusterIdentifier": "a"},
            {"kubeconfig": HERE, "clusterIdentifier": "b"},
            ("clusterIdentifier",),
            ("clusterIdentifier",),
        ),
        ({"kubeconfig": HERE}, {"kubeconfig": HERE, "clusterIdentifier": "a"}, ("clusterIdentifier",), ()),
    ],
)
def test_only_another_cluster_replaces_the_provider(olds, news, changed, replaces):
    change = diff_configuration(olds, news)
    assert (change.changed, change.replaces) == (changed, replaces)
