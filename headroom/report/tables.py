"""How tables look: for every command alike."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table


def make_console() -> Console:
    """Return a console on standard output: coloured on a terminal, wide and plain elsewhere."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=300)


def make_table(
    title: str, left: Sequence[str], right: Sequence[str] = (), wrapped: Sequence[str] = ()
) -> Table:
    """Return an empty table with columns of text, and of figures on the right; `wrapped` may break lines."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in left:
        table.add_column(heading, no_wrap=heading not in wrapped, overflow="fold")
    for heading in right:
        table.add_column(heading, justify="right", no_wrap=True)
    return table
