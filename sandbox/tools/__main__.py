"""`python -m sandbox.tools NAME...`: build what is missing and print where it is."""

import argparse
import sys

from sandbox.engine.errors import SandboxError
from sandbox.tools.catalog import load_tools, locate_binaries, require_tool


def main(arguments: list[str] | None = None) -> int:
    """Build the tools named; the exit code is 2 where that cannot be done."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if not asked.names:
        parser.print_help()
        return 0
    try:
        for name in asked.names:
            require_tool(name)
        for name in asked.names:
            for binary, path in locate_binaries(name, _show_progress).items():
                sys.stdout.write(f"{binary}\t{path}\n")
    except SandboxError as error:
        _show_progress(f"error: {error}")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.tools",
        description="Build Go programs that the tests use, once, into the cache, and print their paths.",
        epilog="\n".join(_describe_tools()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a tool, or one of its binaries")
    return parser


def _describe_tools() -> list[str]:
    return [
        "tools, and the minutes that a first build takes on 2 cores:",
        *(
            f"  {tool.name:<12} {tool.minutes:>2}  {tool.title} ({', '.join(tool.binaries)})"
            for tool in load_tools().values()
        ),
    ]


def _show_progress(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
