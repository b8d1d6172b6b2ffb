"""Tables on the terminal; into a pipe they are as wide as they need to be, so that no value is cut or folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

PIPE_WIDTH = 4000


def table(*titles: str, numbers: tuple[str, ...] = ()) -> Table:
    """A table with these columns; those named in `numbers` stand to the right."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", show_edge=False)
    for title in titles:
        made.add_column(title, overflow="fold", justify="right" if title in numbers else "left")
    return made


def show(made: Table) -> None:
    """Prints it as it is, without reading any markup in its cells."""
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=PIPE_WIDTH)
    console.print(made)
