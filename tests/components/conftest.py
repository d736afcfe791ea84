"""Runs the program on mocks."""

from collections.abc import Callable

import pytest

from headroom.planning.plan import Plan
from tests.mocks import Registered, record


@pytest.fixture
def run_program() -> Callable[[Plan], list[Registered]]:
    """Run the program for a plan."""

    def run(plan: Plan) -> list[Registered]:
        async def main() -> None:
            from infra.stack import build

            await build(plan).registered()

        return record(plan.environment, main)

    return run
