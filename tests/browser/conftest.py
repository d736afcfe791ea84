"""One browser for all tests here; without one they are skipped, with a line that says so."""

from collections.abc import Iterator
from difflib import unified_diff

import pytest
import yaml

from headroom.audit.report import Audit
from headroom.audit.snapshot import Unread
from headroom.planning.comparison import new_limits
from headroom.report.audit_page import render_page
from headroom.report.audit_page_proposals import Patch
from headroom.spec.limits_edit import put_limits
from tests.audit.worlds import CONFIG, COUNT, World, make_world, rising, series
from tests.browser.chromium import Page, find_chromium, open_page, read_axe, running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith("tests/browser/"):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = find_chromium()
    if program is None:
        pytest.skip("there is no Chromium here (Debian: apt-get install chromium)")
    with running(program, tmp_path_factory.mktemp("chromium")) as address:
        yield address


@pytest.fixture(scope="session")
def axe() -> str:
    script = read_axe()
    if script is None:
        pytest.skip("axe-core is not here: make test-browser installs it")
    return script


@pytest.fixture
def page(browser: str) -> Iterator[Page]:
    with open_page(browser) as opened:
        yield opened


@pytest.fixture(scope="session")
def world() -> World:
    """Something of everything: over a cap, near a limit, a gap in what is known, a source that is away."""
    broken = series([*[10] * 60, *[None] * 20, *[4] * (COUNT - 80)])
    return (
        make_world()
        .used("rank", "l4", "gpus", broken)
        .used("draw", "v5e", "chips", rising(8, 33))
        .used("etl", "cpu", "cpu", rising(20_000, 30_000))
        .quota_used("NVIDIA-L4-GPUS-per-project-region", rising(4, 19))
        .but(unmanaged=Unread("Forbidden", "kubectl auth can-i list pods"))
    )


@pytest.fixture(scope="session")
def audit(world: World) -> Audit:
    return world.audit()


@pytest.fixture(scope="session")
def patch(audit: Audit) -> str:
    """What would bring the proposals into the world's stack file, as the command writes it."""
    before = yaml.safe_dump({"config": CONFIG}, sort_keys=False)
    after = put_limits(before, new_limits(audit.proposals), "Pulumi.test.yaml")
    name = "Pulumi.test.yaml"
    return "\n".join(unified_diff(before.splitlines(), after.splitlines(), name, name, lineterm="", n=1))


@pytest.fixture(scope="session")
def url(audit: Audit, patch: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("page") / "audit.html"
    file.write_text(render_page(audit, Patch(patch)), encoding="utf-8")
    return file.as_uri()
