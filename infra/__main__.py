"""Entry point of `pulumi up`: load the stack's configuration, build its resources, export what users need."""

import sys
from pathlib import Path

# Pulumi runs the program from this folder; the library lies beside it.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pulumi

from headroom.spec.errors import StackFileError
from infra.config import ALREADY_SHOWN, load_plan
from infra.stack import build


def run() -> None:
    """Build the stack, or show what is wrong with its configuration as one error."""
    try:
        plan = load_plan()
    except StackFileError as error:
        pulumi.log.error(str(error))
        sys.exit(ALREADY_SHOWN)

    async def main() -> pulumi.Inputs:
        stack = build(plan)
        await stack.registered()
        return stack.outputs

    pulumi.run(main)


run()
