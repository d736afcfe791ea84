"""The text of --help, as wide as the terminal is: a paragraph's lines end where its words do not fit."""

from typing import Any

from headroom.cli.asides import list_commands


def reflow_help(command: Any) -> None:
    """Join the lines of each paragraph of the help of a command, or of all of a group; examples stay."""
    for each in list_commands(command):
        if each.help:
            each.help = "\n\n".join(map(join_lines, each.help.split("\n\n")))


def join_lines(paragraph: str) -> str:
    """Return a paragraph on one line; one with lines that are set in, as examples are, as it is."""
    lines = paragraph.splitlines()
    return paragraph if any(line.startswith(" ") for line in lines) else " ".join(lines)
