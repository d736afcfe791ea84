"""How tables look: for every command alike."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

_GAP = "  "
_INDENT = "    "


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and whether figures stand to the right below it.

    On a terminal too narrow for all columns those with `below` go to a line below their row, the highest
    first; those with 0 stay.
    """

    heading: str
    right: bool = False
    below: int = 0


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


def print_table(
    console: Console, title: str, columns: Sequence[Column], rows: Sequence[Sequence[str]]
) -> None:
    """Print rows of rich's markup below their headings; no cell is ever cut, however narrow the terminal.

    A row that begins with an empty cell goes on with the row before it.
    """
    cells = [[Text.from_markup(cell) for cell in row] for row in rows]
    widths = [
        max(len(column.heading), *(row[number].cell_len for row in cells), 0)
        for number, column in enumerate(columns)
    ]
    kept = _fit(console, columns, widths)
    if title:
        _print(console, Text(title, style="bold"))
    _print(console, _line([Text(column.heading, style="bold") for column in columns], columns, kept, widths))
    _print(console, Text("─" * _total(kept, widths)))
    below: list[Text] = []
    for row in cells:
        if row[0].plain:
            _print_below(console, below)
            below = [_label(columns[n], row[n]) for n in range(len(row)) if n not in kept and row[n].plain]
        if row[0].cell_len > widths[0]:
            _print(console, row[0])
            row[0] = Text()
        _print(console, _line(row, columns, kept, widths))
    _print_below(console, below)


def _fit(console: Console, columns: Sequence[Column], widths: list[int]) -> list[int]:
    """Return the columns that stay; narrow the first, whose long cells then stand on lines of their own."""
    kept = list(range(len(columns)))
    if not console.is_terminal:
        return kept
    for number in sorted(kept, key=lambda number: -columns[number].below):
        if columns[number].below and _total(kept, widths) > console.width:
            kept = [other for other in kept if other != number]
    excess = max(0, _total(kept, widths) - console.width)
    widths[0] = max(len(columns[0].heading), widths[0] - excess)
    return kept


def _total(kept: Sequence[int], widths: Sequence[int]) -> int:
    return sum(widths[number] for number in kept) + len(_GAP) * (len(kept) - 1)


def _line(row: Sequence[Text], columns: Sequence[Column], kept: Sequence[int], widths: Sequence[int]) -> Text:
    padded = []
    for number in kept:
        cell, space = row[number], " " * (widths[number] - row[number].cell_len)
        padded.append(Text(space) + cell if columns[number].right else cell + Text(space))
    line = Text(_GAP).join(padded)
    line.rstrip()
    return line


def _label(column: Column, cell: Text) -> Text:
    return Text(f"{column.heading} ", style="dim") + cell


def _print_below(console: Console, parts: Sequence[Text]) -> None:
    if parts:
        text = Text("; ", style="dim").join(parts)
        for line in text.wrap(console, max(20, console.width - len(_INDENT))):
            line.rstrip()
            _print(console, Text(_INDENT) + line)


def _print(console: Console, text: Text) -> None:
    console.print(text, soft_wrap=True)
