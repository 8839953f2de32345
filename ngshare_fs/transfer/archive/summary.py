"""What is in an archive, counted for people."""

from collections import Counter

from ngshare_fs.store.format import layout
from ngshare_fs.store.format.names import name_of
from ngshare_fs.transfer.archive.listing import kind_of
from ngshare_fs.transfer.archive.reading import Piece


class Summary:
    """Counts the pieces of an archive as they come by.

    Attributes:
        assignments: by name the numbers of `releases`, `submissions` and `feedback`, and the `size` of all files. Of a
            name that is cut it is the folder's.
    """

    def __init__(self) -> None:
        self.assignments: dict[str, Counter[str]] = {}

    def see(self, piece: Piece) -> None:
        """Count a piece; its content is left."""
        parts = piece.path.split("/")
        if len(parts) < 4 or parts[0] != layout.COURSES or parts[2] != layout.ASSIGNMENTS:
            return
        counts = self.assignments.setdefault(name_of(parts[3]) or parts[3], Counter())
        counts["size"] += piece.size
        kind = kind_of(piece.path)
        if piece.is_folder and kind is not None:
            counts[kind] += 1
