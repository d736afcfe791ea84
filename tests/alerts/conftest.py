"""promtool, where it is found or can be built, for the tests marked `monitoring`."""

from pathlib import Path

import pytest

from headroom.alerts.rules import Rule, load_rules


@pytest.fixture(scope="session")
def rules() -> dict[str, Rule]:
    return {rule.name: rule for rule in load_rules()}


@pytest.fixture(scope="session")
def promtool() -> Path:
    from headroom.cli.promtool import find_promtool
    from sandbox.tools.catalog import locate_binary

    return find_promtool() or locate_binary("promtool", print)
