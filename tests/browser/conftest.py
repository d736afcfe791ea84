"""One browser for all tests here; without one they are skipped, with a line that says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headroom.audit.report import Audit
from headroom.audit.snapshot import Unread
from headroom.report.audit_page import render_page
from tests.audit.worlds import COUNT, World, make_world, rising, series
from tests.browser.chromium import Page, find_chromium, open_page, read_axe, running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
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
def url(audit: Audit, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("page") / "audit.html"
    file.write_text(render_page(audit), encoding="utf-8")
    return file.as_uri()
