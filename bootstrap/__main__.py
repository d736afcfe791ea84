"""Entry point of the bootstrap: load its configuration, build, export what the main program is told."""

import sys
from pathlib import Path

# Pulumi runs the program from this folder; the library lies beside it.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pulumi

from bootstrap.stack import build
from headroom.spec.bootstrap import parse_bootstrap
from headroom.spec.errors import StackFileError
from infra.config import ALREADY_SHOWN, read_config


def run() -> None:
    """Build the bootstrap, or show what is wrong with its configuration as one error."""
    stack = pulumi.get_stack()
    try:
        asked = parse_bootstrap(read_config(), f"Pulumi.{stack}.yaml")
    except StackFileError as error:
        pulumi.log.error(str(error))
        sys.exit(ALREADY_SHOWN)

    async def main() -> pulumi.Inputs:
        built = build(asked, stack)
        await built.registered()
        return built.outputs

    pulumi.run(main)


run()
