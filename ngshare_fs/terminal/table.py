"""Tables for people at a terminal."""

from collections.abc import Sequence

from ngshare_fs.formats.one_line import in_one_line

SIZE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[str] = ()) -> str:
    """A table as text, a line for each row below the names of its columns.

    Args:
        columns: their names.
        rows: as many values each; names that a line cannot show are escaped.
        right: the columns whose values end at the right, as numbers do.
    """
    # Imported where a table is made: all commands import this module, and most make none.
    from tabulate import tabulate

    shown = [[in_one_line(str(value)) for value in row] for row in rows]
    sides = ["right" if column in right else "left" for column in columns]
    return tabulate(shown, columns, tablefmt="plain", disable_numparse=True, colalign=sides if shown else None)


def size_in_words(size: int) -> str:
    """`0 B`, `17 KiB`, `1.2 GiB`: a size in bytes as people read it."""
    amount = float(size)
    for unit in SIZE_UNITS:
        if amount < 1024 or unit == SIZE_UNITS[-1]:
            break
        amount /= 1024
    return f"{amount:.1f} {unit}" if amount < 10 and unit != "B" else f"{amount:.0f} {unit}"
